//! The CPU plugin against the reference, case by case. Without a plugin the tests say so and pass.

use collegium_runtime::{PjrtBackend, platform};
use collegium_testkit::{OpCase, agreement, table};

/// The plugin with some devices, if it is on this machine.
fn backend(devices: usize) -> Option<PjrtBackend> {
    let cpu = platform::by_name("cpu").expect("it is in the table of platforms");
    let Some(path) = cpu.locate(None).expect("the search itself works") else {
        println!("skipped: no CPU plugin (run `collegium doctor --fetch`)");
        return None;
    };
    let client = cpu.open(&path, Some(devices)).expect("the plugin opens");
    Some(PjrtBackend::new(client, devices).expect("the client has the devices it was asked for"))
}

fn findings(backend: &PjrtBackend, cases: impl Iterator<Item = OpCase>) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases {
        match agreement::check(backend, &[case]) {
            Ok(found) => wrong.extend(found.iter().filter(|a| !a.holds()).map(|a| format!("{a:?}"))),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    wrong
}

#[test]
fn the_cpu_plugin_agrees_with_the_reference() {
    let mut wrong = Vec::new();
    for devices in [1, 2, 4, 8] {
        let Some(backend) = backend(devices) else { return };
        wrong.extend(findings(&backend, table().into_iter()));
    }
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_has_a_kernel_agrees_without_it_too() {
    let Some(backend) = backend(1) else { return };
    let with_kernel =
        |c: &OpCase| ["grouped", "attention", "cross_entropy", "slot"].iter().any(|n| c.name.starts_with(n));
    let wrong = findings(&backend.without_kernels(), table().into_iter().filter(with_kernel));
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}
