# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tutorial: provision the lab's tenant to its directory, watch drift being shown and repaired.

Each step runs a real playbook and is then judged with ldapsearch; the first step that Active Directory does not confirm
ends the demo with exit code 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.lab.api import Lab
from tests.lab.inventory import write_inventory
from tests.lab.lifecycle import LabError
from tests.lab.scenario import object_id

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / ".lab" / "demo"
DOMAIN, BASE = "contoso.com", "DC=contoso,DC=com"
GROUPS, SALES, MARKETING = (f"OU={name},{BASE}" for name in ("Groups", "Sales", "Marketing"))
PEOPLE = f"OU=People,{BASE}"
UNIVERSAL_SECURITY = "-2147483640"
CONTAINER = f'Switch([displayName],"{GROUPS}","Marketing","{MARKETING}","Sales","{SALES}")'
# Group to its container and its members' names; the members that have no account in the domain are not among them.
EXPECTED = {
    "Sales": (SALES, {"Britta Simon", "Lola Jacobson"}),
    "Marketing": (MARKETING, {"Lola Jacobson"}),
    "All Field Staff": (GROUPS, {"Britta Simon", "Sales"}),
    "Empty Shelf": (GROUPS, set[str]()),
}
MEMBER_DNS = {"Britta Simon": f"CN=Britta Simon,{PEOPLE}", "Lola Jacobson": f"CN=Lola Jacobson,{PEOPLE}"}
FOREIGN = f"CN=Foreign Hand,{PEOPLE}"


class DemoError(Exception):
    """A step did not do what it should."""


def say(text: str) -> None:
    """Print a heading."""
    print(f"\n=== {text}", flush=True)


def check(holds: bool, text: str) -> None:
    """Print what was looked at and is so.

    Raises:
        DemoError: it is not.
    """
    if not holds:
        raise DemoError(f"This is not so: {text}")
    print(f"    checked: {text}", flush=True)


def play(inventory: Path, *options: str) -> str:
    """Run the provisioning playbook, show its output without the frame, and return the recap line.

    Raises:
        DemoError: the playbook failed.
    """
    arguments = ["-i", str(inventory.relative_to(ROOT)), *options, "hybrid_identity.gpad.provision"]
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(ROOT / ".build" / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "no",
        "ANSIBLE_NOCOLOR": "1",
    }
    print(f"$ ansible-playbook {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    print("\n".join(f"    {line}" for line in essence(done.stdout)))
    if done.returncode:
        raise DemoError(f"ansible-playbook ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return next(line for line in done.stdout.splitlines() if line.startswith(DOMAIN))


def essence(output: str) -> Iterator[str]:
    """Yield what a playbook changed and reported, without the frame and the tasks that changed nothing."""
    task = ""
    for line in filter(str.strip, output.splitlines()):
        if line.startswith("TASK ["):
            task = line.partition(" : ")[2].rstrip("* ]")
        elif line.startswith("changed: "):
            yield f"changed: {task}"
        elif not line.startswith(("PLAY ", "ok: ", "included: ")):
            yield line


def group(lab: Lab, name: str) -> dict[str, list[str]]:
    """Return the directory group of a cloud group, found by its anchor.

    Raises:
        DemoError: there is not exactly one.
    """
    anchor = f"Group_{object_id(name)}"
    found = lab.ldapsearch(DOMAIN, BASE, f"(msDS-ExternalDirectoryObjectId={anchor})")
    if len(found) != 1:
        raise DemoError(f"{len(found)} objects carry the anchor of {name}")
    return found[0]


def check_groups(lab: Lab, foreign_in_sales: bool = False) -> None:
    """Compare all groups with what the tenant says."""
    print("    what ldapsearch finds:")
    found = {name: group(lab, name) for name in EXPECTED}
    dns = {**MEMBER_DNS, **{name: entry["dn"][0] for name, entry in found.items()}}
    for name, (container, members) in EXPECTED.items():
        entry = found[name]
        wanted = {dns[member] for member in members} | ({FOREIGN} if foreign_in_sales and name == "Sales" else set())
        right = (
            entry["dn"][0].endswith(f",{container}")
            and entry["groupType"] == [UNIVERSAL_SECURITY]
            and entry["displayName"] == [name]
            and entry["cn"] == [f"{name}_{object_id(name)[-12:]}"]
            and entry["adminDescription"] == [f"Group_{object_id(name)}"]
            and set(entry.get("member", ())) == wanted
        )
        check(right, f"{entry['dn'][0]}, universal security group, members: {names(wanted)}")
    anchored = lab.ldapsearch(DOMAIN, BASE, "(msDS-ExternalDirectoryObjectId=*)", "dn")
    check(len(anchored) == len(EXPECTED), "no other object was provisioned")


def names(dns: Iterable[str]) -> str:
    """Return the relative names of some DNs, for people."""
    return ", ".join(sorted(dn.split(",")[0].removeprefix("CN=") for dn in dns)) or "none"


def run(lab: Lab) -> None:
    """Go through the tutorial.

    Raises:
        DemoError: a step did not do what it should.
    """
    inventory = write_inventory(
        lab.settings,
        Path(lab.settings.dir) / "inventory.yml",
        {"gpad_target_container": CONTAINER},
    )
    containers = lab.forest(DOMAIN).managed_containers

    say("1. First run: the cloud groups appear in Active Directory")
    play(inventory)
    check_groups(lab)

    say("2. Second run: nothing changes")
    before = lab.usn_changed(DOMAIN, containers)
    recap = play(inventory)
    check("changed=0" in recap, "the playbook reports changed=0")
    check(lab.usn_changed(DOMAIN, containers) == before, "uSNChanged of every object is the same as before")

    say("3. Somebody adds Foreign Hand to Sales, by hand, in Active Directory")
    sales = group(lab, "Sales")
    lab.ldapmodify(DOMAIN, f"dn: {sales['dn'][0]}\nchangetype: modify\nadd: member\nmember: {FOREIGN}\n")
    check_groups(lab, foreign_in_sales=True)

    say("4. Check mode shows the drift and touches nothing")
    before = lab.usn_changed(DOMAIN, containers)
    recap = play(inventory, "--check", "--diff")
    check("changed=0" not in recap, "the playbook reports that it would change something")
    check(lab.usn_changed(DOMAIN, containers) == before, "uSNChanged of every object is the same as before")

    say("5. A run repairs the drift")
    play(inventory)
    check_groups(lab)

    say("6. What an application sees: Britta's token")
    britta = lab.ldapsearch(DOMAIN, MEMBER_DNS["Britta Simon"], "(objectClass=user)", "tokenGroups", scope="base")[0]
    sid = sales["objectSid"][0]
    check(group(lab, "Sales")["objectSid"] == [sid], "Sales still has the SID it was born with")
    check(sid in britta["tokenGroups"], f"tokenGroups of Britta Simon holds {sid}, the SID of Sales")


def main() -> int:
    """Start the lab afresh, run the demo, and return the exit code."""
    started = time.monotonic()
    try:
        say("0. A lab: a Samba AD domain controller and an Entra ID emulator")
        stop()
        lab = Lab.up(ROOT / "tests" / "lab" / "scenarios" / "tutorial.yml", LAB, "auto")
        forest = lab.forest(DOMAIN)
        print(f"    {forest.domain}: {forest.fqdn} at {forest.address}; files under {LAB.relative_to(ROOT)}")
        run(lab)
    except (DemoError, LabError) as error:
        print(f"\nThe demo failed. {error}", file=sys.stderr)
        return 1
    print(f"\nThe demo went through in {time.monotonic() - started:.0f} s. The lab is still there to play with;")
    print(f"its inventory is {(LAB / 'inventory.yml').relative_to(ROOT)}. Stop it with: make demo-down")
    return 0


def stop() -> None:
    """Stop the demo's lab, if it runs, and remove its files."""
    subprocess.run(
        [sys.executable, "-m", "tests.lab", "down", "--dir", str(LAB), "--wipe"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["down"]:
        stop()
        print("The demo's lab is stopped.")
    else:
        sys.exit(main())
