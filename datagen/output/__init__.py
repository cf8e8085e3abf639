"""What a run leaves on disk: the journal while it works, then samples, rejections and the manifest."""
