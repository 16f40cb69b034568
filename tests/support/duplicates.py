"""Requests about duplicates: rules and conditions, the function that tells duplicates, jobs that look for them."""

from __future__ import annotations

import json

ON = {"mscrm.suppressduplicatedetection": "false"}
"""The header by which a request has duplicates detected."""

DUPLICATE = (
    412,
    "0x80040333",
    "A record was not created or updated because a duplicate of the current record already exists.",
)
PUBLISH = "Microsoft.Dynamics.CRM.PublishDuplicateRule"
NO_ONE = "0c000000-0000-4000-8000-000000000001"
TYPED = {"@odata.type": "Microsoft.Dynamics.CRM.account"}


def run_all(worker):
    while worker.run_one():
        pass


def draft(api, base="account", matching="account", *conditions, **more):
    identifier = api.created("duplicaterules", name="Rule", baseentityname=base, matchingentityname=matching, **more)
    for condition in conditions or ({"baseattributename": "accountnumber"},):
        bind = {"regardingobjectid@odata.bind": f"/duplicaterules({identifier})"}
        api.created("duplicateruleconditions", **{"operatorcode": 0, **bind, **condition})
    return identifier


def column(name, operator=0, matching=None, **more):
    return {"baseattributename": name, "matchingattributename": matching or name, "operatorcode": operator, **more}


def ids(answer, key="accountid"):
    return {row[key] for row in answer["value"]}


def retrieved(api, entity, matching="account", more="", paging=None):
    function = "/RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName=@p2,PagingInfo=@p3)"
    written = json.dumps(entity).replace('"', "'")
    page = json.dumps(paging or {"PageNumber": 1, "Count": 50}).replace('"', "'")
    return api.json(f"{function}?@p1={written}&@p2='{matching}'&@p3={page}{more}")


def detection(table="account", **changed):
    return {
        "Query": {"@odata.type": "#Microsoft.Dynamics.CRM.QueryExpression", "EntityName": table},
        "JobName": "Look for duplicates",
        "SendEmailNotification": False,
        "TemplateId": "07b94c1d-c85f-492f-b120-f0a743c540e6",
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "RecurrenceStartTime": "2015-07-15T05:30:00Z",
        **changed,
    }
