"""What the tests of the modules run in .venv/cdk: synthesises stacks by the CDK, and reads Terraform's language.

python other_environment.py synthesise FOLDER
python other_environment.py read FILE…
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CASES: dict[str, dict[str, Any]] = {
    "archive": {"archive_url": "https://github.com/owner/repository/archive/refs/tags/v1.0.0.tar.gz"},
    "image": {"image_uri": f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/image-handler@sha256:{'ab' * 32}"},
    "neither": {},
    "both": {"image_uri": "x", "archive_url": "y"},
}


def synthesise(folder: str) -> dict[str, Any]:
    """Return the template of each stack, or the message of the error."""
    sys.path.insert(0, str(ROOT))
    from aws_cdk import App, CfnOutput, Stack
    from deploy.cdk.image_handler import ImageHandler

    app = App(outdir=folder)
    found: dict[str, Any] = {}
    for name, given in CASES.items():
        stack = Stack(app, name)
        chosen = {"EnableSignature": "Yes", "VerifyAtEdge": "Yes"}
        try:
            images = ImageHandler(stack, "Images", source_buckets=["photos", "more.photos"], parameters=chosen, **given)
        except ValueError as error:
            found[name] = str(error)
        else:
            CfnOutput(stack, "Url", value=images.output("CdnUrl"))
    app.synth()
    stacks = {name: json.loads((Path(folder) / f"{name}.template.json").read_text()) for name in CASES}
    return {**stacks, **found}


def read(*files: str) -> dict[str, Any]:
    """Return what each file of Terraform says."""
    import hcl2

    return {Path(file).name: hcl2.loads(Path(file).read_text()) for file in files}


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    found = synthesise(*arguments) if action == "synthesise" else read(*arguments)
    sys.stdout.write(json.dumps(found))
