# SPDX-License-Identifier: Apache-2.0
"""The shipped JSON Schemas, as the tests use them: every message that a poll gives is held against
them, and every shipped file is (test_schemas.py)."""
import functools
import json
import os
import re
from pathlib import Path

import jsonschema

TOP = Path(os.environ.get("top_srcdir") or Path(__file__).resolve().parents[2])


def without_comments(text):
    """JSON with its // and /* */ comments blanked, strings left alone."""
    return re.sub(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/',
                  lambda found: found[0] if found[0].startswith('"') else " ",
                  text, flags=re.DOTALL)


def read(path):
    return json.loads(without_comments(Path(path).read_text(encoding="utf-8")))


@functools.lru_cache
def validator(name, part=None):
    """A validator for contrib/schemas/NAME.schema.json, or for one of its $defs."""
    schema = read(TOP / "contrib" / "schemas" / f"{name}.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    if part:
        schema = {**schema, "$ref": f"#/$defs/{part}"}
    return jsonschema.Draft202012Validator(schema)


def mistakes(document, name, part=None):
    """What the schema has to say against the document, in sentences."""
    return [f"{error.json_path}: {error.message}"
            for error in validator(name, part).iter_errors(document)]
