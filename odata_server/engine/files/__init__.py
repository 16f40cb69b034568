"""Files and images: uploads and downloads in blocks, in chunks or at once, thumbnails, a row of its own per file."""
