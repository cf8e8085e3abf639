"""The commands of the ``pathkg-datagen`` program, one module each."""
