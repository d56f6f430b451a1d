# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of the Workday and SuccessFactors mapping guides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeAlias

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    IGNORE,
    evaluate,
    parse,
)

Outcome: TypeAlias = "tuple[Mapping[str, str | list[str]], object]"

EXAMPLES: Mapping[str, tuple[Outcome, ...]] = {
    r"""Replace([PreferredNameData], , "(?<firstName>[a-zA-Z]+ )(?<lastName>[a-zA-Z]+)",
,"${lastName}", ,)""": (({"PreferredNameData": "John Smith"}, "Smith"),),
    r"""Replace(PCase("st john's hospital"),"'S", , ,"'s", , )""": (({}, "St John's Hospital"),),
    r"""Switch(Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.*)",
, "${isdCode}", , ), "USA",
"1", "USA",
"44", "GBR",
"49", "DEU"
)""": (({"telephoneNumber": "+1 555-123-4567"}, "USA"),),
    r"""Switch(Replace([telephoneNumber], , "\+(?<isdCode>49|44|43|1|352|91|31|420|45|372|7|90)(?<phoneNumber>.*)",
, "${isdCode}", , ), , "43", "AUT", "32", "BEL", "1", "USA",
"420", "CZE", "45", "DNK", "372", "EST", "33", "FRA", "49", "GER",
"30", "GRC", "36", "HUN", "91", "IND", "39", "ITA", "352", "LUX",
"31", "NLD", "47", "NOR", "48", "POL", "40", "ROU", "421", "SVK",
"27", "ZAF", "34", "ESP", "46", "SWE", "41", "CHE", "90", "TUR")""": (({"telephoneNumber": "+15551234567"}, "USA"),),
    r"""Replace(Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.* )[x](?<extension>.*)",
, "${phoneNumber}", , ), ,"[()\\s-]+", ,"", , )""": (({"telephoneNumber": "+1 (206) 291-8163 x8125"}, "2062918163"),),
    r"""Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.* )[x](?<extension>.*)",
, "${extension}", , )""": (({"telephoneNumber": "+1 (206) 291-8163 x8125"}, "8125"),),
    r"""Switch([Active], , "1", "False", "0", "True")""": (
        ({"Active": "1"}, "False"),
        ({"Active": "0"}, "True"),
    ),
    r"""Switch([Active], , "1", "True", "0", "False")""": (({"Active": "0"}, "False"),),
    r"""Switch([Active], , "1", "FALSE", "0", "TRUE")""": (({"Active": "0"}, "TRUE"),),
    r"""Switch([City], "OU=Default,OU=Users,DC=contoso,DC=com",
"Dallas", "OU=Dallas,OU=Users,DC=contoso,DC=com",
"Austin", "OU=Austin,OU=Users,DC=contoso,DC=com",
"Seattle", "OU=Seattle,OU=Users,DC=contoso,DC=com",
"London", "OU=London,OU=Users,DC=contoso,DC=com"
)""": (({"City": "Chicago"}, "OU=Default,OU=Users,DC=contoso,DC=com"),),
    r"""Join("",
Switch([SupervisoryOrganization],"",
"Engineering", "OU=Engineering,",
"Shared Services", "OU=Shared Services,",
"Information Technology", "OU=Information Technology,",
"Development", "OU=Development,"
),
Switch([CostCenter],"",
"Finance and Info. Mgmt.","OU=Finance and Information Management,",
"Modern Workplace","OU=Modern Workplace,",
"Green Energy","OU=Green Energy,"
),
Switch([CountryReferenceTwoLetter],"",
"US","OU=USA,",
"UK","OU=UK,",
"IN","OU=IN,"
),
"OU=Users,DC=contoso,DC=com"
)""": (
        (
            {
                "SupervisoryOrganization": "Engineering",
                "CostCenter": "Modern Workplace",
                "CountryReferenceTwoLetter": "US",
            },
            "OU=Engineering,OU=Modern Workplace,OU=USA,OU=Users,DC=contoso,DC=com",
        ),
    ),
    r"""Split(Join(",","a8cccada-a108-47ae-bf9a-f130499aa4cb","{26491cfc-9e50-4857-861b-0cb8df22b5d7}"),
",")""": (({}, ["a8cccada-a108-47ae-bf9a-f130499aa4cb", "{26491cfc-9e50-4857-861b-0cb8df22b5d7}"]),),
    r"""ToUpper(Replace([b64], , "(.*?)(?<id>[a-zA-Z]{4})(.*)", , "D${id}", ,))""": (({"b64": "mVdX"}, "DMVDX"),),
    r"""Append("05",Replace(Join("","000000",[employeeId]), ,"(.*?)(?<id>.{0,6})$", ,"${id}", ,))""": (
        ({"employeeId": "789"}, "05000789"),
    ),
    r"""Join("",Mid([lastName],1,1),ToLower(Mid([lastName],2,64)))""": (({"lastName": "JOHNSON"}, "Johnson"),),
    r"""Replace([firstName]," ", , ,".", , )""": (({"firstName": "Mary Ann"}, "Mary.Ann"),),
    r"""IgnoreFlowIfNullOrEmpty(IIF(InStr([emailAddress],"@contoso.com")=0,"",[emailAddress]))""": (
        ({"emailAddress": "john.doe@contoso.com"}, "john.doe@contoso.com"),
        ({"emailAddress": "john.doe@external.com"}, IGNORE),
    ),
    r"""Switch([emplStatus], "False", "741", "False", "749", "True", "746", "True")""": (
        ({"emplStatus": "741"}, "False"),
    ),
    r"""Switch([endDate],
NumFromDate(Join("", FormatDateTime([endDate], "M/d/yyyy hh:mm:ss tt",
"yyyy-MM-dd"), " 23:59:59-05:00")),
"", "9223372036854775807"
)""": (({"endDate": ""}, "9223372036854775807"),),
    r"""Switch([department], "OU=SuccessFactors,DC=contoso,DC=com",
"Engineering SG", "OU=Engineering,OU=SuccessFactors,DC=contoso,DC=com",
"Shared Services", "OU=Shared Services,OU=SuccessFactors,DC=contoso,DC=com",
"Retail - Finance", "OU=Retail Finance,OU=SuccessFactors,DC=contoso,DC=com",
"Information Technology BR", "OU=Information Technology,OU=SuccessFactors,DC=contoso,DC=com",
"Development", "OU=Development,OU=SuccessFactors,DC=contoso,DC=com"
)""": (
        ({"department": "Engineering SG"}, "OU=Engineering,OU=SuccessFactors,DC=contoso,DC=com"),
        ({"department": "Marketing"}, "OU=SuccessFactors,DC=contoso,DC=com"),
    ),
    r"""Join("",
Switch([emplStatus], "OU=SFProvisoinngUsers",
"741", Switch([empJobNavCustomString13],
"OU=SFProvisoinngUsers",
"LOC1016", "OU=Mysore",
"LOC1019", "OU=Baroda",
"LOC1015", Switch([departmentId],
"OU=Bangalore",
"DU1026","OU=IT,OU=Bangalore",
"DU1025","OU=IT,OU=Bangalore"
)
),
"749", Switch([empJobNavCustomString13],
"OU=O365-NoSYNC,OU=SFProvisoinngUsers",
"LOC1016", "OU=O365-NoSYNC,OU=Mysore",
"LOC1019", "OU=O365-NoSYNC,OU=Baroda",
"LOC1015", "OU=O365-NoSYNC,OU=Bangalore"
)
),
",DC=contoso,DC=com")""": (
        (
            {"emplStatus": "741", "empJobNavCustomString13": "LOC1015", "departmentId": "DU1026"},
            "OU=IT,OU=Bangalore,DC=contoso,DC=com",
        ),
        ({"emplStatus": "749", "empJobNavCustomString13": "LOC1016"}, "OU=O365-NoSYNC,OU=Mysore,DC=contoso,DC=com"),
    ),
    r"""Switch([activeEmploymentsCount],
Switch([country], "OU=Accounts,DC=corp,DC=contoso,DC=com",
"Mexico", "OU=Mexico,OU=Accounts,DC=corp,DC=contoso,DC=com",
"Sweden", "OU=Sweden,OU=Accounts,DC=corp,DC=contoso,DC=com",
"Colombia", "OU=Internal Accounts,OU=Colombia,OU=Accounts,DC=corp,DC=contoso,DC=com",
"Brazil", "OU=Internal Accounts,OU=Brazil,OU=Accounts,DC=corp,DC=contoso,DC=com"
),
"0", "OU=DisabledAccounts,OU=Accounts,DC=corp,DC=contoso,DC=com"
)""": (
        ({"activeEmploymentsCount": "1", "country": "Mexico"}, "OU=Mexico,OU=Accounts,DC=corp,DC=contoso,DC=com"),
        (
            {"activeEmploymentsCount": "0", "country": "Sweden"},
            "OU=DisabledAccounts,OU=Accounts,DC=corp,DC=contoso,DC=com",
        ),
        ({"activeEmploymentsCount": "1", "country": "Germany"}, "OU=Accounts,DC=corp,DC=contoso,DC=com"),
    ),
    r"""Join(", ", Join("", Mid([lastName], 1, 1), ToLower(Mid([lastName],
2, 64), )), Join("", Mid(Coalesce([preferredName], [firstName]),
1, 1), ToLower(Mid(Coalesce([preferredName], [firstName]), 2,
64), )))""": (({"lastName": "JOHNSON", "preferredName": "Mike", "firstName": "Michael"}, "Johnson, Mike"),),
    r"""Join("", NormalizeDiacritics(Join("", [lastName], ", ")), NormalizeDiacritics(Switch([preferredName],
[preferredName], "", [firstName])))""": (
        ({"lastName": "García", "preferredName": "Mike", "firstName": "Michael"}, "Garcia, Mike"),
    ),
    r"""Split(
Join(",",
Append("smtp:", Join("@", NormalizeDiacritics(StripSpaces(Join("",
"A", [personIdExternal]))), "contoso.mail.onmicrosoft.com")),
Append("smtp:", Join("@", NormalizeDiacritics(StripSpaces(Join("",
"A", [personIdExternal]))), "contoso.com")),
Append("SMTP:", Join("@", Join(".", StripSpaces([firstName]),
StripSpaces([lastName])), "contoso.com"))
),
","
)""": (
        (
            {"personIdExternal": "12345", "firstName": "John", "lastName": "Smith"},
            ["smtp:A12345@contoso.mail.onmicrosoft.com", "smtp:A12345@contoso.com", "SMTP:John.Smith@contoso.com"],
        ),
    ),
    r"""Split(
Switch([divisionId],
Join(",",
Append("smtp:", Join("@", NormalizeDiacritics(StripSpaces(Join("",
"A", [personIdExternal]))), "woodgrove.mail.onmicrosoft.com")),
Append("smtp:", Join("@", NormalizeDiacritics(StripSpaces(Join("",
"A", [personIdExternal]))), "woodgrove.com")),
Append("SMTP:", Join("@", Join(".", StripSpaces([firstName]),
StripSpaces([lastName])), "woodgrove.com"))
),
"EXEC", Join(",",
Append("smtp:", Join("@", Join(".", StripSpaces([firstName]),
StripSpaces([lastName])), "contoso.com")),
Append("SMTP:", [email])
)
),
","
)""": (
        (
            {"divisionId": "EXEC", "firstName": "Michael", "lastName": "Brown", "email": "mbrown@fabrikam.com"},
            ["smtp:Michael.Brown@contoso.com", "SMTP:mbrown@fabrikam.com"],
        ),
    ),
    r"""Replace(Replace([mobile], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.*)",
, "${phoneNumber}", , ), ,"[()\\s-]+", ,"", , )""": (({"mobile": "+1 (555) 123-4567"}, "5551234567"),),
    r"""Replace(Replace([mobile], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.*)",
, "${isdCode}", , ), ,"[()\\s-]+", ,"", , )""": (({"mobile": "+44 20 7946 0958"}, "44"),),
    r"""IIF(IsNullOrEmpty([telephoneNumber]),"000-000-0000",[telephoneNumber])""": (
        ({"telephoneNumber": ""}, "000-000-0000"),
    ),
    r"""Switch([mobile],[mobile],"","000-000-0000")""": (({"mobile": "555-123-4567"}, "555-123-4567"),),
    r"""Switch(Join("+",Switch([businessPhoneIsPrimary],[businessPhoneIsPrimary],
"","other"),Switch([cellPhoneIsPrimary],[cellPhoneIsPrimary],
"","other")), "no primary phone",
"false+false", "no primary phone",
"true+false", "business phone is primary",
"false+true", "cell phone is primary",
"true+true", "business phone is primary, cell phone is primary",
"other+true", "cell phone is primary",
"other+false", "no primary phone",
"true+other", "business phone is primary",
"false+other", "no primary phone")""": (
        ({"businessPhoneIsPrimary": "", "cellPhoneIsPrimary": "true"}, "cell phone is primary"),
    ),
    r"""Switch([employeeType],"Default-value",
"31202","Employee",
"31230","Contractor"
)""": (({"employeeType": "99999"}, "Default-value"),),
    r"""Switch([isContingentWorker], "N/A", "True", "Contractor", "False", "Employee")""": (
        ({"isContingentWorker": "True"}, "Contractor"),
    ),
    r"""Switch([globalAssignmentDepartment],[globalAssignmentDepartment],
"",[department])""": (
        ({"globalAssignmentDepartment": "Global IT", "department": "Local IT"}, "Global IT"),
        ({"globalAssignmentDepartment": "", "department": "Sales"}, "Sales"),
    ),
}

DATED: tuple[tuple[str, datetime, tuple[Outcome, ...]], ...] = (
    (
        r"""Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([StatusHireDate])) <= 14,
"False", "True"), "0", "True")""",
        datetime(2025, 7, 30),
        (({"Active": "1", "StatusHireDate": "2025-08-10"}, "False"),),
    ),
    (
        r"""Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([StatusHireDate])) <= 14,
"True", "False"), "0", "False")""",
        datetime(2025, 7, 30),
        (
            ({"Active": "1", "StatusHireDate": "2025-08-10"}, "True"),
            ({"Active": "1", "StatusHireDate": "2025-09-15"}, "False"),
        ),
    ),
    (
        r"""Switch([StatusTerminated], "False", "1", "True", "0",
Switch([StatusHireRescinded], "False", "1", "True", "0",
Switch([Active], "False",
"1", IIF(DateDiff("d", Now(), CDate(IIF(IsNullOrEmpty([StatusHireDate]),
"9999-01-01", [StatusHireDate]))) < 7, "False", "True"),
"0", "True"
)
)
)""",
        datetime(2025, 7, 30),
        (
            (
                {"StatusTerminated": "1", "StatusHireRescinded": "0", "Active": "1", "StatusHireDate": "2025-08-15"},
                "True",
            ),
            (
                {"StatusTerminated": "0", "StatusHireRescinded": "0", "Active": "1", "StatusHireDate": "2025-08-15"},
                "True",
            ),
            (
                {"StatusTerminated": "0", "StatusHireRescinded": "0", "Active": "1", "StatusHireDate": "2025-08-05"},
                "False",
            ),
        ),
    ),
    (
        r"""IIF(DateDiff("d", Now(),CDate(Switch([StatusTerminationLastDayOfWork],
[StatusTerminationLastDayOfWork],
"","9999-12-31"
))
) <= 0,
"OU=Leavers,OU=Users,DC=contoso,DC=com",
Switch([City], "OU=Default,OU=Users,DC=contoso,DC=com",
"Dallas", "OU=Dallas,OU=Users,DC=contoso,DC=com",
"Austin", "OU=Austin,OU=Users,DC=contoso,DC=com",
"Seattle", "OU=Seattle,OU=Users,DC=contoso,DC=com",
"London", "OU=London,OU=Users,DC=contoso,DC=com"
)
)""",
        datetime(2025, 7, 30),
        (
            (
                {"StatusTerminationLastDayOfWork": "2025-07-25", "City": "Seattle"},
                "OU=Leavers,OU=Users,DC=contoso,DC=com",
            ),
        ),
    ),
    (
        r"""IgnoreFlowIfNullOrEmpty(IIF(DateDiff("d", Now(), CDate([employeeHireDate])) > 0,
"", [userPrincipalName]))""",
        datetime(2025, 7, 30),
        (
            ({"employeeHireDate": "2025-07-15", "userPrincipalName": "user@contoso.com"}, "user@contoso.com"),
            ({"employeeHireDate": "2025-08-15", "userPrincipalName": "future@contoso.com"}, IGNORE),
        ),
    ),
    (
        r"""IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, "TRUE", "FALSE")""",
        datetime(2025, 7, 30),
        (({"StatusHireDate": "2025-07-31"}, "TRUE"),),
    ),
    (
        r"""IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, "TRUE", "FALSE")""",
        datetime(2025, 8, 1),
        (({"StatusHireDate": "2025-07-31"}, "FALSE"),),
    ),
    (
        r"""IIF(DateDiff("d", CDate(IIF(IsPresent([startDate]), [startDate],
DateAdd("d", "10", Now()))), Now()) >= -1, IIF(DateDiff("d",
Now(), CDate(IIF(IsPresent([endDate]), [endDate], DateAdd("d",
"1", Now())))) >= 0, "FALSE", "TRUE"), "TRUE")""",
        datetime(2025, 7, 30),
        (({"startDate": "2025-01-15", "endDate": "2025-12-31"}, "FALSE"),),
    ),
    (
        r"""Switch([empNavCustomString3], "True",
"62220", Switch([cust_hiredate],
IIF(DateDiff("d", CDate([cust_hiredate]), Now()) = 3,
Switch([cust_customDate67],
IIF(DateDiff("d", CDate([cust_customDate67]), Now())=0, "False", "True"),
"", "False"
), "True"
),
"", "True"
))""",
        datetime(2025, 7, 30),
        (({"empNavCustomString3": "62220", "cust_hiredate": "2025-07-27", "cust_customDate67": "2025-07-29"}, "True"),),
    ),
    (
        r"""IIF([IsSoftDeleted]="True", Join("_",FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt",
"yyyy-MM-dd"),[mail]), [mail])""",
        datetime(2025, 7, 30),
        (
            ({"IsSoftDeleted": "True", "mail": "john.smith@company.com"}, "2025-07-30_john.smith@company.com"),
            ({"IsSoftDeleted": "False", "mail": "jane.doe@company.com"}, "jane.doe@company.com"),
        ),
    ),
    (
        r"""IgnoreFlowIfNullOrEmpty(IIF(IsPresent([extensionAttribute9]),
IIF(DateDiff("d", Now(), CDate([extensionAttribute9])) <> 1, "",
[mail]),"noemail@contoso.com"))""",
        datetime(2025, 7, 30),
        (({"extensionAttribute9": "", "mail": "user@company.com"}, "noemail@contoso.com"),),
    ),
)

UNIQUE: tuple[tuple[str, Mapping[str, str], Collection[str], str], ...] = (
    (
        r"""SelectUniqueValue(
NormalizeDiacritics(Join(" ", [PreferredFirstName], [PreferredLastName])),
NormalizeDiacritics(Join(" ", [PreferredFirstName], Mid([PreferredMiddleName],
1,1), [PreferredLastName])),
NormalizeDiacritics(Join(" ", [PreferredFirstName], [PreferredMiddleName],
[PreferredLastName]))
)""",
        {"PreferredFirstName": "José", "PreferredLastName": "García", "PreferredMiddleName": "Antonio"},
        [],
        "Jose Garcia",
    ),
    (
        r"""SelectUniqueValue(
NormalizeDiacritics(Join(" ", [PreferredFirstName], [PreferredLastName])),
NormalizeDiacritics(Join(" ", [PreferredFirstName], Mid([PreferredMiddleName],
1,1), [PreferredLastName])),
NormalizeDiacritics(Join(" ", [PreferredFirstName], [PreferredMiddleName],
[PreferredLastName]))
)""",
        {"PreferredFirstName": "José", "PreferredLastName": "García", "PreferredMiddleName": "Antonio"},
        ["Jose Garcia"],
        "Jose A Garcia",
    ),
    (
        r"""SelectUniqueValue(
NormalizeDiacritics(Join(" ", [PreferredFirstName], [PreferredLastName])),
NormalizeDiacritics(Join(" ", [PreferredFirstName], Mid([PreferredMiddleName],
1,1), [PreferredLastName])),
NormalizeDiacritics(Join(" ", [PreferredFirstName], [PreferredMiddleName],
[PreferredLastName]))
)""",
        {"PreferredFirstName": "José", "PreferredLastName": "García", "PreferredMiddleName": "Antonio"},
        ["Jose Garcia", "Jose A Garcia"],
        "Jose Antonio Garcia",
    ),
)


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


@pytest.mark.parametrize(
    ("expression", "now", "attributes", "expected"),
    [(expression, now, *outcome) for expression, now, outcomes in DATED for outcome in outcomes],
)
def test_documented_output_on_a_day(
    expression: str, now: datetime, attributes: Mapping[str, str | list[str]], expected: object
) -> None:
    assert evaluate(expression, attributes, now=now) == expected


@pytest.mark.parametrize(("expression", "attributes", "taken", "expected"), UNIQUE)
def test_documented_unique_value(
    expression: str, attributes: Mapping[str, str], taken: Collection[str], expected: str
) -> None:
    assert evaluate(expression, attributes, taken=taken) == expected
