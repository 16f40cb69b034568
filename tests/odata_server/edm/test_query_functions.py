"""The query functions are declared as in a real document, and filters call them as they are declared."""

import pytest
from lxml import etree

from entities.errors import InvalidArgument, MalformedRequest
from odata_server.bind.dialect import WEB_API
from odata_server.bind.filters import bind_filter
from odata_server.bind.functions import _FUNCTIONS
from odata_server.bind.scope import Scope
from odata_server.edm.csdl import csdl
from odata_server.edm.query_functions import QUERY_FUNCTIONS
from odata_server.syntax.options import parse_query

EDM = {"e": "http://docs.oasis-open.org/odata/ns/edm"}
ARGUMENTS = {"PropertyValues": "['1','2']", "PropertyName": "'accountid'"}


def _functions(document):
    """Return parameters and result of every unbound function that takes a property's name."""
    found = document.xpath("//e:Function[e:Parameter[1]/@Name='PropertyName']", namespaces=EDM)
    return {function.get("Name"): [dict(child.attrib) for child in function] for function in found}


def test_query_functions_are_declared_as_in_a_real_document(dataverse, reference):
    real = etree.parse(reference / "data" / "dataverse-v9.1-metadata.xml", etree.XMLParser(huge_tree=True))
    assert _functions(etree.fromstring(csdl(dataverse))) == _functions(real)


def test_query_functions_are_no_resources(dataverse):
    imports = etree.fromstring(csdl(dataverse)).xpath("//e:FunctionImport/@Name", namespaces=EDM)
    assert "WhoAmI" in imports
    assert not {function.name for function in QUERY_FUNCTIONS} & set(imports)


def _bound(dataverse, call):
    options = parse_query(f"$filter=Microsoft.Dynamics.CRM.{call}")
    return bind_filter(options.filter, Scope(dataverse, WEB_API, dataverse.tables["account"]))


def test_what_is_declared_is_what_filters_know():
    assert {function.name for function in QUERY_FUNCTIONS} == {*_FUNCTIONS, "Contains"}


def _refusal(dataverse, call):
    """Return the text that a call is refused with, empty where it is bound: the values here fit some columns only."""
    try:
        _bound(dataverse, call)
    except (InvalidArgument, MalformedRequest) as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    "function", [function for function in QUERY_FUNCTIONS if function.name != "Contains"], ids=lambda found: found.name
)
def test_a_query_function_takes_the_declared_parameters_and_no_others(dataverse, function):
    given = [f"{name}={ARGUMENTS.get(name, 1)}" for name in function.parameters]
    assert "No function signature" not in _refusal(dataverse, f"{function.name}({','.join(given)})")
    assert "No function signature" in _refusal(dataverse, f"{function.name}({','.join([*given, 'Other=1'])})")
    assert "No function signature" in _refusal(dataverse, f"{function.name}({','.join(given[1:])})")


def test_the_full_text_function_is_declared_and_refused(dataverse):
    assert _refusal(dataverse, "Contains(PropertyName='name',PropertyValue='a')") == "Full text operation failed."
