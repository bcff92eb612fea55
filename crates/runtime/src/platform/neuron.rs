//! AWS Trainium: the plugin of `libneuronxla`, from Amazon's index, on a host with the Neuron driver. (Not yet run on
//! Trainium.)

use std::path::Path;

use collegium_pjrt::OptionValue;

use super::{Platform, Variable};

pub(super) static PLATFORM: Platform = Platform {
    name: "neuron",
    summary: "AWS Trainium NeuronCores",
    variable: "COLLEGIUM_NEURON_PLUGIN",
    libraries: &["libneuronxla/libneuronpjrt.so"],
    wheel: None,
    install: "python3 -m pip install --extra-index-url https://pip.repos.neuron.amazonaws.com libneuronxla neuronx-cc",
    device_files: &["/dev/neuron0"],
    uses_host_memory: false,
    environment,
    client_options,
};

fn environment(_: &Path) -> Vec<Variable> {
    let variable = |name, value: &str, required| Variable { name, value: value.into(), required };
    vec![
        // Collectives do not start without a meeting point, even within one process.
        variable("NEURON_RT_ROOT_COMM_ID", "127.0.0.1:62182", true),
        // The plugin wants to know which PJRT its caller was built with.
        variable("NEURON_INTERNAL_PJRT_C_API_VERSION", collegium_pjrt::API_VERSION, true),
        // The barrier of every collective execution is cheaper in hardware; without any, stress tests deadlock.
        variable("NEURON_RT_ENABLE_HW_EXECUTION_BARRIER", "1", false),
        // The default of 30 s is too short for long steps.
        variable("NEURON_RT_EXEC_TIMEOUT", "600", false),
    ]
}

/// Which cores a process owns is said by `NEURON_RT_VISIBLE_CORES` or `NEURON_RT_NUM_CORES`, not by client options.
fn client_options(_: Option<usize>) -> Vec<(&'static str, OptionValue)> {
    Vec::new()
}
