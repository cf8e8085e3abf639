"""Slides made here: a stained-looking pyramid, written as Aperio-style TIFF and as DICOM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

LEVEL0 = (4096, 3072)  # width, height
MPP = 0.25


def drawn(width: int = LEVEL0[0], height: int = LEVEL0[1]) -> np.ndarray:
    """Two pieces of tissue on glass, black ink along the top and green ink at the lower left.

    Each 256-pixel square of the tissue has its own blue value, so that a tile read from the wrong place shows.
    """
    image = np.full((height, width, 3), 242, np.uint8)
    ys, xs = np.mgrid[0:height, 0:width]
    first = ((xs - 1100) / 900) ** 2 + ((ys - 1500) / 1000) ** 2 < 1
    second = (xs > 2600) & (xs < 3600) & (ys > 800) & (ys < 2300)
    tissue = first | second
    image[tissue] = (205, 110, 160)
    image[..., 2] = np.where(tissue, 130 + (xs // 256 * 7 + ys // 256 * 3) % 90, image[..., 2])
    image[:80] = 10
    image[2800:2960, 200:700] = (40, 150, 60)
    return image


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    return drawn()


@pytest.fixture(scope="session")
def pyramid(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> Path:
    """A four-level pyramid with an Aperio-style description: 40x, 0.25 µm per pixel."""
    return write_pyramid(tmp_path_factory.mktemp("slides") / "made.svs", picture,
                         description=f"Aperio Image Library v12.0|AppMag = 40|MPP = {MPP}")


@pytest.fixture(scope="session")
def unscaled(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> Path:
    """The same picture as a generic TIFF that says nothing of its scale."""
    return write_pyramid(tmp_path_factory.mktemp("slides") / "unscaled.tiff", picture, description=None)


def write_pyramid(path: Path, image: np.ndarray, *, description: str | None) -> Path:
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("openslide")
    options = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(image, description=description, **options)
        for step in (2, 4, 16):
            writer.write(np.ascontiguousarray(image[::step, ::step]), subfiletype=1, description=description, **options)
    return path


@pytest.fixture(scope="session")
def dicom(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> Path:
    """A folder with a two-level DICOM whole-slide series."""
    folder = tmp_path_factory.mktemp("dicom") / "series"
    folder.mkdir()
    write_dicom(folder, [picture, np.ascontiguousarray(picture[::4, ::4])], mpp=MPP)
    return folder


def write_dicom(folder: Path, levels: list[np.ndarray], *, mpp: float) -> None:
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("openslide")
    from io import BytesIO

    from PIL import Image
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit, generate_uid

    series, study, frame_of_reference = generate_uid(), generate_uid(), generate_uid()
    side = 256
    for number, image in enumerate(levels):
        height, width = image.shape[:2]
        down, across = -(-height // side), -(-width // side)
        padded = np.full((down * side, across * side, 3), 255, np.uint8)
        padded[:height, :width] = image
        frames = []
        for row in range(down):
            for column in range(across):
                stream = BytesIO()
                tile = padded[row * side:(row + 1) * side, column * side:(column + 1) * side]
                Image.fromarray(tile).save(stream, "JPEG", quality=95)
                frames.append(stream.getvalue())
        data = Dataset()
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
        meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = JPEGBaseline8Bit
        data.file_meta = meta
        data.SeriesInstanceUID, data.StudyInstanceUID, data.FrameOfReferenceUID = series, study, frame_of_reference
        data.Modality, data.InstanceNumber = "SM", number + 1
        data.ImageType = ["ORIGINAL" if number == 0 else "DERIVED", "PRIMARY", "VOLUME",
                          "NONE" if number == 0 else "RESAMPLED"]
        data.Rows = data.Columns = side
        data.NumberOfFrames = len(frames)
        data.TotalPixelMatrixRows, data.TotalPixelMatrixColumns = height, width
        data.TotalPixelMatrixFocalPlanes, data.NumberOfOpticalPaths = 1, 1
        data.DimensionOrganizationType = "TILED_FULL"
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "YBR_FULL_422", 0
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit, data.PixelRepresentation = 7, 0
        data.LossyImageCompression = "01"
        spacing = mpp / 1000 * levels[0].shape[1] / width
        measures, groups, optics = Dataset(), Dataset(), Dataset()
        measures.PixelSpacing, measures.SliceThickness = [spacing, spacing], 0.001
        groups.PixelMeasuresSequence = [measures]
        data.SharedFunctionalGroupsSequence = [groups]
        optics.OpticalPathIdentifier, optics.ObjectiveLensPower = "1", 40
        data.OpticalPathSequence = [optics]
        data.PixelData = encapsulate(frames)
        data["PixelData"].VR = "OB"
        pydicom.dcmwrite(folder / f"level{number}.dcm", data, enforce_file_format=True)
