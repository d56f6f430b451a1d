# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the journal."""

from __future__ import annotations

FORMAT = 3
APPLICATION_ID = 0x4750414A  # "GPAJ"

SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE groups (id TEXT PRIMARY KEY, guid TEXT NOT NULL, accepted INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE undecided (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE left (id TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE lease (
  no INTEGER PRIMARY KEY CHECK (no = 1), plan_id TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
  since TEXT NOT NULL, heartbeat TEXT NOT NULL);
CREATE TABLE watermark (
  no INTEGER PRIMARY KEY CHECK (no = 1), word TEXT NOT NULL, reading TEXT NOT NULL, sequence INTEGER NOT NULL,
  server TEXT NOT NULL, invocation_id TEXT NOT NULL, usn INTEGER NOT NULL, full_at TEXT NOT NULL,
  groups INTEGER NOT NULL, links INTEGER NOT NULL);
CREATE TABLE unsettled (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE retries (
  id TEXT NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL, dn TEXT NOT NULL, code TEXT NOT NULL,
  message TEXT NOT NULL, remedy TEXT NOT NULL, digest TEXT NOT NULL, tries INTEGER NOT NULL,
  first_at TEXT NOT NULL, tried_at TEXT NOT NULL, next_at TEXT, PRIMARY KEY (id, part)) WITHOUT ROWID;
CREATE TABLE quarantines (
  no INTEGER PRIMARY KEY, reason TEXT NOT NULL, message TEXT NOT NULL, remedy TEXT NOT NULL, since TEXT NOT NULL,
  tries INTEGER NOT NULL, next_at TEXT NOT NULL, released_at TEXT, released_by TEXT);
CREATE TABLE runs (
  no INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, module TEXT NOT NULL, plan_id TEXT NOT NULL,
  plan_created_at TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, outcome TEXT, summary TEXT);
CREATE TABLE outcomes (
  no INTEGER PRIMARY KEY, run_no INTEGER NOT NULL REFERENCES runs, at TEXT NOT NULL, milliseconds INTEGER NOT NULL,
  action TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, guid TEXT, dn TEXT NOT NULL, status TEXT NOT NULL,
  before TEXT NOT NULL, after TEXT NOT NULL, added TEXT NOT NULL, removed TEXT NOT NULL, reason TEXT NOT NULL,
  code TEXT, message TEXT, remedy TEXT);
CREATE INDEX outcomes_by_id ON outcomes (id) WHERE added <> '[]';
CREATE TABLE remarks (
  no INTEGER PRIMARY KEY, run_no INTEGER NOT NULL REFERENCES runs, at TEXT NOT NULL, until TEXT, id TEXT NOT NULL,
  group_id TEXT NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL, group_name TEXT NOT NULL, status TEXT NOT NULL,
  reason TEXT NOT NULL, remedy TEXT NOT NULL);
CREATE UNIQUE INDEX remarks_standing ON remarks (id, group_id, code) WHERE until IS NULL;
"""
