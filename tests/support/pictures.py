"""Images that tests send, and what comes back."""

import json
from base64 import b64decode, b64encode
from io import BytesIO

from PIL import Image

FAILURE = "0x80072553"


def picture(size=(300, 428), form="PNG", mode="RGB", color="red"):
    """Return the bytes of an image of one color."""
    target = BytesIO()
    Image.new(mode, size, color).save(target, form)
    return target.getvalue()


def stripes(width, height, *colors):
    """Return the bytes of an image of stripes from left to right."""
    image, part = Image.new("RGB", (width, height)), width // len(colors)
    for number, color in enumerate(colors):
        image.paste(color, (number * part, 0, (number + 1) * part, height))
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def text_of(data):
    """Return bytes as JSON has them."""
    return b64encode(data).decode()


def opened(data):
    """Return an image from its bytes, or from their text in JSON."""
    return Image.open(BytesIO(b64decode(data) if isinstance(data, str) else data))


def row_of(api, account, *columns):
    return api.json(f"/accounts({account})?$select={','.join(columns)}")


def beside(api, account, column):
    """Return what stands beside an image: its id, its moment and its URL."""
    names = (f"{column}id", f"{column}_timestamp", f"{column}_url")
    row = row_of(api, account, *names)
    return tuple(row[name] for name in names)


def uploaded_in_blocks(api, account, column, *blocks, mime_type=""):
    """Upload a file in blocks; return the answer of the last request."""
    target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}
    begun = {"Target": target, "FileName": "a.png", "FileAttributeName": column}
    token = json.loads(api("POST", "/InitializeFileBlocksUpload", begun).body)["FileContinuationToken"]
    names = [text_of(f"block {number}".encode()) for number, _ in enumerate(blocks)]
    for name, data in zip(names, blocks, strict=True):
        block = {"BlockId": name, "BlockData": text_of(data), "FileContinuationToken": token}
        assert api("POST", "/UploadBlock", block).status == 204
    done = {"FileName": "a.png", "MimeType": mime_type, "BlockList": names, "FileContinuationToken": token}
    return api("POST", "/CommitFileBlocksUpload", done)


def uploaded_in_chunks(api, account, column, data):
    """Upload a file in two chunks; return the answer to the last one."""
    path = f"/accounts({account})/{column}?x-ms-file-name=a.png"
    location = dict(api("PATCH", path, x_ms_transfer_mode="chunked").headers)["Location"]
    path, half = location.partition("/api/data/v9.2")[2], len(data) // 2
    api("PATCH", path, data[:half], content_range=f"bytes 0-{half - 1}/{len(data)}")
    return api("PATCH", path, data[half:], content_range=f"bytes {half}-{len(data) - 1}/{len(data)}")


WAYS = {
    "the row": lambda api, account, column, data: api("PATCH", f"/accounts({account})", {column: text_of(data)}),
    "the property": lambda api, account, column, data: api(
        "PUT", f"/accounts({account})/{column}", {"value": text_of(data)}, content_type="application/json"
    ),
    "bytes": lambda api, account, column, data: api(
        "PUT", f"/accounts({account})/{column}", data, content_type="application/octet-stream"
    ),
    "a file": lambda api, account, column, data: api(
        "PATCH", f"/accounts({account})/{column}", data, x_ms_file_name="a.png"
    ),
    "chunks": uploaded_in_chunks,
    "blocks": lambda api, account, column, data: uploaded_in_blocks(api, account, column, data[:40], data[40:]),
}
"""The ways to give an account an image, by what is sent."""
