# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of the function references, of the Cloud Sync pages and of the group provisioning pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    IGNORE,
    evaluate,
    parse,
)

Outcome: TypeAlias = "tuple[Mapping[str, str | list[str]], object]"

EXAMPLES: Mapping[str, tuple[Outcome, ...]] = {
    r"""CDate([StatusHireDate])""": (({"StatusHireDate": "2020-03-16-07:00"}, "3/16/2020 7:00:00 AM"),),
    r"""CDate("2021-06-30+08:00")""": (({}, "6/29/2021 4:00:00 PM"),),
    r"""CDate("2009-06-15T01:45:30-07:00")""": (({}, "6/15/2009 8:45:30 AM"),),
    r"""CStr([dn])""": (({"dn": "cn=Joe,dc=contoso,dc=com"}, "cn=Joe,dc=contoso,dc=com"),),
    r"""DateAdd("d", 7, CDate([StatusHireDate]))""": (
        ({"StatusHireDate": "2012-03-16-07:00"}, "3/23/2012 7:00:00 AM"),
    ),
    r"""DateAdd("d", -10, CDate([StatusHireDate]))""": (
        ({"StatusHireDate": "2012-03-16-07:00"}, "3/6/2012 7:00:00 AM"),
    ),
    r"""DateAdd("ww", 2, CDate([StatusHireDate]))""": (
        ({"StatusHireDate": "2012-03-16-07:00"}, "3/30/2012 7:00:00 AM"),
    ),
    r"""DateAdd("m", 10, CDate([StatusHireDate]))""": (
        ({"StatusHireDate": "2012-03-16-07:00"}, "1/16/2013 7:00:00 AM"),
    ),
    r"""DateAdd("yyyy", 2, CDate([StatusHireDate]))""": (
        ({"StatusHireDate": "2012-03-16-07:00"}, "3/16/2014 7:00:00 AM"),
    ),
    r"""DateDiff("d", CDate([date1]), CDate([date2]))""": (
        ({"date1": "2021-08-18+08:00", "date2": "2021-08-31+08:00"}, 13),
        ({"date1": "8/25/2021 5:41:18 PM", "date2": "2012-03-16-07:00"}, -3449),
    ),
    r"""DateDiff("ww", CDate([date1]), CDate([date2]))""": (
        ({"date1": "8/25/2021 5:41:18 PM", "date2": "2012-03-16-07:00"}, -493),
    ),
    r"""DateDiff("m", CDate([date1]), CDate([date2]))""": (
        ({"date1": "8/25/2021 5:41:18 PM", "date2": "2012-03-16-07:00"}, -113),
    ),
    r"""DateDiff("s", CDate([date1]), CDate([date2]))""": (({"date1": "2021-08-24", "date2": "2021-08-25"}, 86400),),
    r"""IgnoreFlowIfNullOrEmpty(Switch([prefix], "", "3443", "Dr.", "3444",
"Prof.", "3445", "Prof. Dr."))""": (
        ({"prefix": "3443"}, "Dr."),
        ({"prefix": "3444"}, "Prof."),
        ({"prefix": "3445"}, "Prof. Dr."),
        ({"prefix": "9999"}, IGNORE),
    ),
    r"""IIF([country]="USA",[country],[department])""": (
        ({"country": "USA", "department": "Sales"}, "USA"),
        ({"country": "France", "department": "Sales"}, "Sales"),
    ),
    r"""IIF([country]="USA","True",IIF([state]="CA","True","False"))""": (
        ({"country": "France", "state": "CA"}, "True"),
        ({"country": "France", "state": "WA"}, "False"),
    ),
    r"""Switch([country],[country],"","Other")""": (({"country": ""}, "Other"),),
    r"""InStr("The quick brown fox","quick")""": (({}, 5),),
    r"""InStr("repEated","e",3,vbBinaryCompare)""": (({}, 7),),
    r"""Left("John Doe", 3)""": (({}, "Joh"),),
    r"""Left("John Doe", -1)""": (({}, "John Doe"),),
    r"""Left([s], 3)""": (({}, ""),),
    r"""NormalizeDiacritics([s])""": (
        ({"s": "äàâãåáąăā"}, "aaaaaaaaa"),
        ({"s": "æ"}, "ae"),
        ({"s": "çčć"}, "ccc"),
        ({"s": "ğ"}, "g"),
        ({"s": "ïîìíıī"}, "iiiiii"),
        ({"s": "ľł"}, "ll"),
        ({"s": "ñńň"}, "nnn"),
        ({"s": "ø"}, "oe"),
        ({"s": "Ø"}, "OE"),
        ({"s": "ř"}, "r"),
        ({"s": "ß"}, "ss"),
        ({"s": "ťț"}, "tt"),
        ({"s": "üùûúůűū"}, "uuuuuuu"),
        ({"s": "ÿýȳ"}, "yyy"),
    ),
    r"""Not("True")""": (({}, "False"),),
    r"""Not("False")""": (({}, "True"),),
    r"""PCase([firstName])""": (({"firstName": "PABLO GONSALVES (SECOND)"}, "Pablo Gonsalves (Second)"),),
    r"""PCase([lastName]," '-")""": (({"lastName": "PINTO-DE'SILVA"}, "Pinto-De'Silva"),),
    r"""PCase(Join(" ",[firstName],[lastName]))""": (({"firstName": "GREGORY", "lastName": "JAMES"}, "Gregory James"),),
    r"""RemoveDuplicates([proxyAddresses])""": (({"proxyAddresses": ["a", "b", "a"]}, ["a", "b"]),),
    r"""Replace([AddressLineData], ,"(?<streetNumber>^\\d*)","streetNumber", "888", , )""": (
        ({"AddressLineData": "545 Tremont Street"}, "888 Tremont Street"),
    ),
    r"""Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , )""": (
        ({"userPrincipalName": "jsmith@contoso.com"}, "jsmith"),
    ),
    r"""Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})",
"phoneNumber" , , [mobile], )""": (
        ({"telephoneNumber": "+1 1112223333", "mobile": "+91 8887779999"}, "+1 1112223333"),
    ),
    r"""Replace([mailNickname], , "[a-zA-Z_]*", , "", , )""": (({"mailNickname": "john_doe72"}, "72"),),
    r"""StripSpaces([s])""": (({"s": " a b c "}, "abc"),),
    r"""Switch([state], "Australia/Sydney", "NSW", "Australia/Sydney",
"QLD", "Australia/Brisbane", "SA", "Australia/Adelaide")""": (({"state": "QLD"}, "Australia/Brisbane"),),
    r"""Switch(ToLower([statusFlag]), "0", "true", "1", "false", "0")""": (({"statusFlag": "TRUE"}, "1"),),
    r"""Switch([statusFlag], "Default Value", "true", "1", "", "0")""": (
        ({"statusFlag": ""}, "0"),
        ({"statusFlag": "maybe"}, "Default Value"),
    ),
    r"""IIF([companyName] = "Company A", "A", IIF([companyName] = "Company B", "B", "External"))""": (
        ({"companyName": "Company B"}, "B"),
    ),
    r"""switch([companyName], "External", "Company A", "A", "Company B", "B")""": (
        ({"companyName": "Company B"}, "B"),
        ({"companyName": "Fabrikam"}, "External"),
    ),
    r"""ToLower(Join("@", NormalizeDiacritics(StripSpaces(Join(".",  [PreferredFirstName],
[PreferredLastName]))), "contoso.com"))""": (
        ({"PreferredFirstName": "John", "PreferredLastName": "Smith"}, "john.smith@contoso.com"),
    ),
    r"""Word("The quick brown fox",3," ")""": (({}, "brown"),),
    r"""Word("This,string!has&many separators",3,",!&#")""": (({}, "has"),),
    r"""Word("The quick brown fox",0," ")""": (({}, ""),),
    r"""Replace([mail], "@contoso.com", , ,"", ,)""": (
        ({"mail": "john.doe@contoso.com"}, "john.doe"),
        ({"mail": "john.smith@contoso.com"}, "john.smith"),
    ),
    r"""Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))""": (({"givenName": "John", "surname": "Doe"}, "JohDoe"),),
    r"""Join(", ", "", [surname], [givenName])""": (({"givenName": "John", "surname": "Doe"}, "Doe, John"),),
    r"""ConvertFromBase64("SABlAGwAbABvACAAdwBvAHIAbABkACEA")""": (({}, "Hello world!"),),
    r"""ConvertFromBase64("SGVsbG8gd29ybGQh", UTF8)""": (({}, "Hello world!"),),
    r"""Switch([displayName],"OU=Default,OU=container,DC=contoso,DC=com",
"Marketing","OU=Marketing,OU=container,DC=contoso,DC=com","Sales",
"OU=Sales,OU=container,DC=contoso,DC=com")""": (
        ({"displayName": "Marketing"}, "OU=Marketing,OU=container,DC=contoso,DC=com"),
        ({"displayName": "Sales"}, "OU=Sales,OU=container,DC=contoso,DC=com"),
        ({"displayName": "Other"}, "OU=Default,OU=container,DC=contoso,DC=com"),
    ),
    r"""Switch([displayName],"OU=Groups,DC=contoso,DC=com","Marketing",
"OU=Marketing,DC=contoso,DC=com","Sales","OU=Sales,DC=contoso,DC=com")""": (
        ({"displayName": "Sales"}, "OU=Sales,DC=contoso,DC=com"),
        ({"displayName": "Other"}, "OU=Groups,DC=contoso,DC=com"),
    ),
    r"""Switch(Left(Trim([displayName]), 2), "OU=Groups,DC=contoso,DC=com",
"NA","OU=NorthAmerica,DC=contoso,DC=com", "SA","OU=SouthAmerica,DC=contoso,DC=com",
"EU", "OU=Europe,DC=contoso,DC=com")""": (
        ({"displayName": "NA-Sales-Contoso"}, "OU=NorthAmerica,DC=contoso,DC=com"),
        ({"displayName": "SA-Sales-Contoso"}, "OU=SouthAmerica,DC=contoso,DC=com"),
    ),
    r"""Append(Append(Left(Trim([displayName]),51),"_"),Mid([objectId],25,12))""": (
        (
            {"displayName": "Administrators", "objectId": "3a5c3221-c465-48c0-95b8-e9305786a271"},
            "Administrators_e9305786a271",
        ),
    ),
    r"""Append("Group_",[objectId])""": (
        (
            {"displayName": "Sales", "objectId": "3a5c3221-c465-48c0-95b8-e9305786a271"},
            "Group_3a5c3221-c465-48c0-95b8-e9305786a271",
        ),
    ),
    r"""IIF(IsPresent([extension_0123456789abcdef0123456789abcdef_GroupDN]),
Replace(Mid(Mid(Replace([extension_0123456789abcdef0123456789abcdef_GroupDN],
"\,", , , "\2C", , ), Instr(Replace([extension_0123456789abcdef0123456789abcdef_GroupDN],
"\,", , , "\2C", , ), ",", , ), 9999), 2, 9999), "\2C", , , ",",
, ), "OU=Groups,DC=contoso,DC=com")""": (
        (
            {"extension_0123456789abcdef0123456789abcdef_GroupDN": "CN=Finance-App-Access,OU=Groups,DC=contoso,DC=com"},
            "OU=Groups,DC=contoso,DC=com",
        ),
        ({}, "OU=Groups,DC=contoso,DC=com"),
    ),
    r"""IIF(IsPresent([extension_0123456789abcdef0123456789abcdef_GroupDN]),
Replace(Replace(Replace(Word(Replace([extension_0123456789abcdef0123456789abcdef_GroupDN],
"\,", , , "\2C", , ), 1, ","), "CN=", , , "", , ), "cn=", , ,
"", , ), "\2C", , , ",", , ), Append(Append(Left(Trim([displayName]),
51), "_"), Mid([objectId], 25, 12)))""": (
        ({"displayName": "Sales", "objectId": "3a5c3221-c465-48c0-95b8-e9305786a271"}, "Sales_e9305786a271"),
    ),
    r"""Replace([mail], "@fabrikam.com", , ,"@contoso.com", , )""": (
        ({"mail": "user@fabrikam.com"}, "user@contoso.com"),
    ),
    r"""Replace([preferredLanguage], "-", , , "_", , )""": (({"preferredLanguage": "EN-US"}, "EN_US"),),
    r"""IIF(IsNullOrEmpty([onPremisesDistinguishedName]), "OU=Cloud_Users,DC=contoso,DC=com",
Replace([onPremisesDistinguishedName], , "^.*?,(?=(?:CN|OU|DC)=)",
, "", , ))""": (
        ({}, "OU=Cloud_Users,DC=contoso,DC=com"),
        (
            {"onPremisesDistinguishedName": "CN=Cloud User,OU=Cloud_Users,DC=contoso,DC=com"},
            "OU=Cloud_Users,DC=contoso,DC=com",
        ),
    ),
    r"""Not([accountEnabled])""": (({"accountEnabled": "True"}, "False"),),
    r"""NumFromDate(CDate("2012-01-01 23:00:00"))""": (({}, 129699324000000000),),
    r"""CDate("2013-01-10 4:00 PM -8")""": (({}, "1/11/2013 12:00:00 AM"),),
    r"""DateAdd("m", 3, CDate("2001-01-01"))""": (({}, "4/1/2001 12:00:00 AM"),),
    r"""PCase("TEsT")""": (({}, "Test"),),
    r"""Split("SMTP:john.doe@contoso.com,smtp:jd@contoso.com",",")""": (
        ({}, ["SMTP:john.doe@contoso.com", "smtp:jd@contoso.com"]),
    ),
    r"""Mid("John Doe", 1, -1)""": (({}, "John Doe"),),
}


@pytest.mark.parametrize(
    ("expression", "attributes", "expected"),
    [(expression, *outcome) for expression, outcomes in EXAMPLES.items() for outcome in outcomes],
)
def test_documented_output(expression: str, attributes: Mapping[str, str | list[str]], expected: object) -> None:
    value = evaluate(expression, attributes)
    assert (str(value) if isinstance(value, bool) else value) == expected


@pytest.mark.parametrize("expression", EXAMPLES)
def test_canonical_text_means_the_same(expression: str) -> None:
    parsed = parse(expression)
    assert parse(str(parsed)) == parsed
    assert str(parse(str(parsed))) == str(parsed)
