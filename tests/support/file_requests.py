"""What is asked of file columns, whole, in chunks and in blocks."""

import json
from base64 import b64encode

ROOT = "https://org.test:8443/api/data/v9.2"
MEGABYTE = 1024 * 1024
DATA = bytes(range(256)) * 5
OCTETS = {"content_type": "application/octet-stream"}
MISSING = "00000000-0000-0000-0000-000000000001"


def headers_of(answer):
    return dict(answer.headers)


def stored(api, account, data=DATA, name="letter.txt", column="new_dossier"):
    answer = api("PATCH", f"/accounts({account})/{column}", data, x_ms_file_name=name, **OCTETS)
    assert (answer.status, answer.body) == (204, b""), answer.body


def loaded(api, account, column="new_dossier", **headers):
    return api("GET", f"/accounts({account})/{column}/$value", **headers)


def shown(api, account):
    row = api.json(f"/accounts({account})?$select=new_dossier,new_dossier_name")
    return row["new_dossier"], row["new_dossier_name"]


def began(api, account, name="big.bin"):
    path = f"/accounts({account})/new_dossier?x-ms-file-name={name}"
    answer = api("PATCH", path, x_ms_transfer_mode="chunked")
    headers = headers_of(answer)
    assert (answer.status, answer.body) == (200, b"")
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["x-ms-chunk-size"] == "4194304"
    assert headers["Access-Control-Expose-Headers"] == "x-ms-chunk-size"
    location = headers["Location"]
    assert location.startswith(f"{ROOT}/accounts({account})/new_dossier?sessiontoken=")
    return location.removeprefix(ROOT)


def chunk(api, location, data, begin, total, last=None):
    last = begin + len(data) - 1 if last is None else last
    return api("PATCH", location, data, content_range=f"bytes {begin}-{last}/{total}", x_ms_file_name="x", **OCTETS)


def acted(api, name, **parameters):
    answer = api("POST", f"/{name}", parameters)
    assert answer.status in {200, 204}, answer.body
    return json.loads(answer.body) if answer.body else None


def target_of(account):
    return {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}


def initialized(api, account, name="blocks.txt"):
    found = acted(
        api, "InitializeFileBlocksUpload", Target=target_of(account), FileName=name, FileAttributeName="new_dossier"
    )
    assert found["@odata.context"] == f"{ROOT}/$metadata#Microsoft.Dynamics.CRM.InitializeFileBlocksUploadResponse"
    return found["FileContinuationToken"]


def uploaded(api, token, name, data):
    acted(api, "UploadBlock", BlockId=name, BlockData=b64encode(data).decode(), FileContinuationToken=token)
