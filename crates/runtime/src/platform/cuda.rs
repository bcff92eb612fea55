//! NVIDIA GPUs: the plugin of the JAX project's wheels, with NVIDIA's CUDA wheels beside it. (Not yet run on a GPU.)

use std::path::Path;

use collegium_pjrt::OptionValue;

use super::{Platform, Variable};

pub(super) static PLATFORM: Platform = Platform {
    name: "cuda",
    summary: "NVIDIA GPUs",
    variable: "COLLEGIUM_CUDA_PLUGIN",
    libraries: &[
        "jax_plugins/xla_cuda13/xla_cuda_plugin.so", //
        "jax_plugins/xla_cuda12/xla_cuda_plugin.so",
    ],
    wheel: None,
    install: "python3 -m pip install 'jax-cuda13-plugin[with-cuda]'",
    device_files: &["/dev/nvidiactl", "/dev/dxg"],
    uses_host_memory: false,
    environment,
    client_options,
};

fn environment(plugin: &Path) -> Vec<Variable> {
    let mut variables = vec![Variable { name: "TF_CPP_MIN_LOG_LEVEL", value: "1".into(), required: false }];
    // XLA looks for ptxas and libdevice in a CUDA installation; the CUDA 12 wheels keep them in site-packages.
    let nvcc = plugin.ancestors().nth(3).map(|site| site.join("nvidia/cuda_nvcc"));
    if let Some(nvcc) = nvcc.filter(|folder| folder.is_dir()) {
        let value = format!("--xla_gpu_cuda_data_dir={}", nvcc.display());
        variables.push(Variable { name: "XLA_FLAGS", value, required: false });
    }
    variables
}

fn client_options(devices: Option<usize>) -> Vec<(&'static str, OptionValue)> {
    let visible = devices.map(|n| ("visible_devices", OptionValue::Ints((0..n as i64).collect())));
    visible.into_iter().collect()
}
