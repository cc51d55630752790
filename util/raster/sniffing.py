"""Tell the format of an image from its first bytes, whatever the file is called."""

from util.raster.border import Refused, Stream

_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"\x93NUMPY": "NPY",
    b"PK\x03\x04": "NPZ",
    b"PK\x05\x06": "NPZ",  # without an array
}


def sniff(file: Stream) -> str:
    """Return the format as ``Header`` names it; the file stands at its beginning afterwards.

    Raises:
        Refused: the file is empty or of another kind.
    """
    head = file.read(12)
    file.seek(0)
    for beginning, name in _BEGINNINGS.items():
        if head.startswith(beginning):
            return name
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n#" and len(head) > 2:
        return "PPM"
    if not head:
        raise Refused("the file is empty")
    raise Refused(f"it is no JPEG, PNG, TIFF, WebP, BMP, GIF, PPM, npy or npz file, but begins with {head!r}")
