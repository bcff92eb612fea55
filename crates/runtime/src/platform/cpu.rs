//! The CPU: XLA's own plugin, any number of virtual devices, nothing to install beforehand.

use std::path::Path;

use collegium_pjrt::OptionValue;

use super::fetch::{Build, Wheel};
use super::{Platform, Variable};

pub(super) static PLATFORM: Platform = Platform {
    name: "cpu",
    summary: "this machine's CPU, as one or several virtual devices",
    variable: "COLLEGIUM_CPU_PLUGIN",
    libraries: &["xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"],
    wheel: Some(&WHEEL),
    install: "python3 -m pip install xla-cpu-pjrt==0.0.1",
    device_files: &[],
    uses_host_memory: true,
    environment,
    client_options,
};

static WHEEL: Wheel = Wheel {
    project: "xla-cpu-pjrt",
    version: "0.0.1",
    library: "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
    builds: &[
        Build {
            arch: "x86_64",
            wheel_sha256: "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
            wheel_mib: 61,
            library_bytes: 259_284_552,
        },
        Build {
            arch: "aarch64",
            wheel_sha256: "8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9",
            wheel_mib: 48,
            library_bytes: 200_328_224,
        },
    ],
};

fn environment(_: &Path) -> Vec<Variable> {
    // Without it every client greets the terminal with its options.
    vec![Variable { name: "TF_CPP_MIN_LOG_LEVEL", value: "1".into(), required: false }]
}

fn client_options(devices: Option<usize>) -> Vec<(&'static str, OptionValue)> {
    devices.map(|n| ("cpu_device_count", OptionValue::Int(n as i64))).into_iter().collect()
}
