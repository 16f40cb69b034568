"""Service documents list entity sets, in alphabetical order, under the root that was asked."""

import json

from odata_server.edm.service_document import service_document


def test_entity_sets_are_listed_in_order(dataverse):
    root = "https://localhost:8443/api/data/v9.1"
    document = json.loads(service_document(dataverse, root))
    assert document["@odata.context"] == f"{root}/$metadata"
    names = [entry["name"] for entry in document["value"]]
    assert names == sorted(names)
    assert {"name": "accounts", "kind": "EntitySet", "url": "accounts"} in document["value"]


def test_data_lists_public_names(human_resources):
    document = json.loads(service_document(human_resources, "https://h/data"))
    assert "CandidatesToHire" in [entry["url"] for entry in document["value"]]
