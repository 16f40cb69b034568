"""Packages of plug-ins: how they are found, how they show as rows, and what is wrong with some."""

from __future__ import annotations

import sys

import pytest
from contoso_plugins import check_limit, free, install, plugin

from entities.messages import RetrieveMultiple
from entities.plugins import (
    AllowedSteps,
    BindingType,
    CustomApiParameter,
    Mode,
    ParameterType,
    Plugin,
    PluginApi,
    PluginStep,
    Stage,
)
from entities.query import QueryExpression
from odata_server.plug_ins.loading import Package, PackageError, checked, installed_packages
from odata_server.plug_ins.registration import register

_NUMBER = CustomApiParameter("Number", ParameterType.INTEGER)


def test_an_installed_package_is_found_and_shows_as_rows(administrator):
    package = administrator.rows("pluginpackages?$select=uniquename,version,ismanaged")[0]
    assert (package["uniquename"], package["version"], package["ismanaged"]) == ("contoso-plugins", "1.2.0", True)
    assembly = administrator.rows("pluginassemblies?$expand=pluginassembly_plugintype($select=typename)")[0]
    assert (assembly["name"], assembly["version"], assembly["major"], assembly["minor"]) == (
        "contoso-plugins",
        "1.2.0",
        1,
        2,
    )
    assert {row["typename"] for row in assembly["pluginassembly_plugintype"]} == set(plugin.functions())
    api = administrator.rows(
        "customapis?$filter=uniquename eq 'new_Double'&$expand=CustomAPIRequestParameters,CustomAPIResponseProperties,"
        "PluginTypeId($select=typename)"
    )[0]
    assert (api["displayname"], api["isfunction"], api["bindingtype"], api["PluginTypeId"]["typename"]) == (
        "Double it",
        True,
        0,
        "contoso_plugins.double",
    )
    parameters = api["CustomAPIRequestParameters"]
    assert {(p["uniquename"], p["type"], p["isoptional"]) for p in parameters} == {
        ("Number", 7, False),
        ("Note", 10, True),
    }
    assert {(p["uniquename"], p["type"]) for p in api["CustomAPIResponseProperties"]} == {("Result", 7), ("Note", 10)}


def test_rows_follow_what_is_installed(environments, application):
    dataverse, packages = environments[0].dataverse, environments[0].plug_ins.packages

    def rows(table, column):
        found = dataverse.execute(RetrieveMultiple(QueryExpression(table, (column,))), dataverse.system)
        return {row[column] for row in found.records}

    assert register(dataverse, packages) == 0
    shorter = Plugin(custom_apis=[PluginApi("new_Double", free, [_NUMBER])], types=[check_limit])
    assert register(dataverse, [Package("contoso-plugins", "1.3.0", shorter)])
    try:
        assert rows("plugintype", "typename") == {"contoso_plugins.free", "contoso_plugins.check_limit"}
        assert rows("plugintype", "version") == {"1.3.0"}
        assert rows("customapi", "uniquename") == {"new_Double"}
        assert rows("customapirequestparameter", "uniquename") == {"Number"}
        assert register(dataverse, [])
        assert rows("pluginpackage", "name") == rows("pluginassembly", "name") == rows("customapi", "name") == set()
    finally:
        register(dataverse, packages)
    assert register(dataverse, packages) == 0


def test_a_custom_api_of_rows_that_is_in_the_way_of_a_package_is_named(administrator, environments, fresh):
    named = dict.fromkeys(("uniquename", "name", "displayname"), "new_Mine")
    administrator.create("customapis", named)
    dataverse = environments[0].dataverse
    other = Package("other", "1", Plugin(custom_apis=[PluginApi("new_Mine")]))
    with pytest.raises(PackageError, match="new_Mine"):
        register(dataverse, (*environments[0].plug_ins.packages, other))


@pytest.mark.parametrize(
    ("entry", "source", "text"),
    [
        ("broken_package:plugin", "import absent_module", "ModuleNotFoundError: No module named 'absent_module'"),
        ("broken_package:plugin", "plugin = (", "SyntaxError"),
        ("broken_package:plugin", "raise SystemExit(2)", "SystemExit: 2"),
        ("broken_package:plugin", "other = 1", "AttributeError"),
        ("broken_package:plugin", "plugin = 1", "names broken_package:plugin, which is no Plugin"),
    ],
)
def test_a_broken_package_stops_the_start_and_is_named(tmp_path, monkeypatch, entry, source, text):
    install(tmp_path, entry, "broken-package", "0.1")
    (tmp_path / "broken_package.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_package", raising=False)
    with pytest.raises(PackageError, match="broken-package") as refused:
        installed_packages()
    assert text in str(refused.value)
    sys.modules.pop("broken_package", None)


def test_packages_that_do_not_fit_together_are_refused():
    api = PluginApi("new_Mine")
    one, other = (Package(name, "1", Plugin(custom_apis=[api])) for name in ("one", "other"))
    with pytest.raises(PackageError, match="new_Mine is in one and in other"):
        checked((one, other))


@pytest.mark.parametrize(
    ("allowed", "mode", "fits"),
    [
        (AllowedSteps.NONE, Mode.ASYNCHRONOUS, False),
        (AllowedSteps.ASYNCHRONOUS, Mode.SYNCHRONOUS, False),
        (AllowedSteps.ASYNCHRONOUS, Mode.ASYNCHRONOUS, True),
        (AllowedSteps.ALL, Mode.SYNCHRONOUS, True),
    ],
)
def test_a_custom_api_says_which_steps_of_others_it_allows(allowed, mode, *, fits):
    one = Package("one", "1", Plugin(custom_apis=[PluginApi("new_Mine", allowed_steps=allowed)]))
    step = PluginStep("new_Mine", None, Stage.POST_OPERATION, free, mode=mode)
    other = Package("other", "1", Plugin(steps=[step]))
    if fits:
        assert checked((one, other)) == (one, other)
    else:
        with pytest.raises(PackageError, match="one does not allow the step"):
            checked((one, other))
    assert checked([Package("one", "1", Plugin(steps=[step], custom_apis=one.plugin.custom_apis))])


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": "Retrieve"},
        {"message": "CreateMultiple"},
        {"stage": Stage.MAIN},
        {"mode": Mode.ASYNCHRONOUS},
        {"message": "Delete", "filtering": ["name"]},
        {"message": "Create", "pre_image": ["name"]},
        {"message": "Delete", "stage": Stage.POST_OPERATION, "post_image": ["name"]},
        {"post_image": ["name"]},
        {"filtering": "name"},
    ],
)
def test_a_step_that_cannot_be_is_refused(wrong):
    given = {"message": "Update", "table": "account", "stage": Stage.PRE_OPERATION, "function": free}
    PluginStep(**given)
    with pytest.raises(ValueError, match=r"contoso_plugins\.free: "):
        PluginStep(**{**given, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Mine"},
        {"is_function": True},
        {"binding": BindingType.ENTITY},
        {"table": "account"},
        {"parameters": [_NUMBER, _NUMBER]},
        {"properties": [_NUMBER, CustomApiParameter("number", ParameterType.STRING)]},
    ],
)
def test_a_custom_api_that_cannot_be_is_refused(wrong):
    PluginApi("new_Mine")
    with pytest.raises(ValueError, match="Mine"):
        PluginApi(**{"name": "new_Mine", **wrong})
