"""The processor that this process runs on: its name, and whether it may compute in bfloat16.

Linux tells both; other systems tell less.
"""

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# OpenVINO may use bfloat16 on processors with one of these: avx512_bf16, amx_bf16, Arm's bf16. The
# last stands for AVX-NE-CONVERT of some Intel processors, which Linux may not list.
_FEATURES_OF_BFLOAT16 = ("bf16", "avx_vnni")


def processor() -> str:
    """Its name, family and model: a name alone, such as AMD EPYC, covers many processors. Where the
    system tells no name, its architecture, such as aarch64; empty if that is unknown too."""
    fields = processor_fields()
    # Not `platform.processor`, which starts a process on Linux.
    name = fields.get("model name") or platform.machine()
    if "cpu family" in fields and "model" in fields:
        return f"{name}, family {fields['cpu family']}, model {fields['model']}"
    return name


def processor_fields() -> dict[str, str]:
    """Of the last core, as Linux names them; empty on other systems."""
    lines = [line.split(":", 1) for line in _cpuinfo().splitlines()]
    return {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}


def may_have_bfloat16() -> bool:
    """Whether OpenVINO is worth asking: loading it takes a tenth of the start-up, and memory."""
    features = _cpuinfo()
    return not features or any(name in features for name in _FEATURES_OF_BFLOAT16)


def _cpuinfo() -> str:
    """Empty if the system has no such file."""
    try:
        return CPUINFO.read_text(errors="replace")
    except OSError:
        return ""
