//! The layer against the real CPU plugin. Without one the tests say so and pass.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use collegium_core::{DType, HostTensor};
use collegium_pjrt::{
    Arg, Buffer, CacheOutcome, CallFrame, Client, CompileOptions, ErrorCode, Executable, ExecutableCache,
    OptionValue, PjrtError, Plugin, ffi,
};

/// Where tests find the plugin: the variable users have, then the folder `collegium doctor --fetch` fills.
fn plugin_path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(path) = set("COLLEGIUM_PJRT_PLUGIN") {
        return Some(path);
    }
    let cache = set("COLLEGIUM_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|d| d.join("collegium")))
        .or_else(|| set("HOME").map(|d| d.join(".cache/collegium")))?;
    Some(cache.join("plugins/xla_cpu_pjrt-0.0.1.so")).filter(|path| path.is_file())
}

/// A client of four devices, one for all tests.
fn client() -> Option<Client> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    let make = || {
        let plugin = Plugin::load(plugin_path()?).expect("the plugin loads");
        Some(
            Client::new(&plugin, &[("cpu_device_count", OptionValue::Int(4))])
                .expect("a client of four devices"),
        )
    };
    let client = CLIENT.get_or_init(make).clone();
    if client.is_none() {
        println!("skipped: no CPU plugin (run `collegium doctor --fetch`)");
    }
    client
}

fn borrow(rows: &[Vec<Buffer>]) -> Vec<Vec<Arg<'_>>> {
    rows.iter().map(|row| row.iter().map(Arg::from).collect()).collect()
}

fn floats(buffer: &Buffer) -> Vec<f32> {
    buffer.download().expect("download").to_vec()
}

#[test]
fn plugin_tells_version_and_devices() {
    let Some(client) = client() else { return };
    assert_eq!(client.plugin().version().0, 0);
    assert!(client.plugin().attributes().unwrap().contains_key("stablehlo_current_version"));
    assert_eq!(client.platform_name().unwrap(), "cpu");
    assert!(!client.platform_version().unwrap().is_empty());
    let ids: Vec<_> = client.devices().iter().map(|d| d.local_hardware_id()).collect();
    assert_eq!(ids, [0, 1, 2, 3]);
    assert!(!client.devices()[0].kind().is_empty());
    // The CPU plugin does not count memory: that is "unsupported", not a failure.
    assert!(client.devices()[0].memory_stats().is_err_and(|e| e.is_unsupported()));
}

#[test]
fn add_runs_and_describes_itself() {
    let Some(client) = client() else { return };
    let program = "module @add {
      func.func public @main(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<i32>) {
        %z = stablehlo.add %x, %y : tensor<2x3xf32>
        %c = stablehlo.constant dense<7> : tensor<i32>
        return %z, %c : tensor<2x3xf32>, tensor<i32>
      }
    }";
    let add = client.compile(program, &CompileOptions::on_device(2)).unwrap();
    assert_eq!(add.name(), "add");
    assert_eq!(add.devices(), [2]);
    assert_eq!(add.outputs()[0].dims, [2, 3]);
    assert_eq!(add.outputs()[1].dtype, DType::I32);
    assert!(add.memory_stats().unwrap().argument_bytes >= 48);
    let (code, format) = add.optimized_program().unwrap();
    assert!(!code.is_empty() && format.starts_with("hlo"), "{format}");

    let x = client.upload_tensor(&HostTensor::new(&[2, 3], &[1f32, 2., 3., 4., 5., 6.]), 2).unwrap();
    let mut outputs = add.execute(vec![vec![(&x).into(), (&x).into()]]).unwrap().remove(0);
    let seven = outputs.pop().unwrap().download().unwrap();
    assert_eq!((seven.sizes(), seven.to_vec::<i32>()), (&[][..], vec![7]));
    outputs[0].wait().unwrap();
    assert!(outputs[0].is_ready().unwrap());
    assert_eq!(outputs[0].device_size_bytes().unwrap(), 24);
    assert_eq!(floats(&outputs[0]), [2., 4., 6., 8., 10., 12.]);
}

#[test]
fn every_element_type_survives_the_round_trip() {
    let Some(client) = client() else { return };
    use DType::*;
    for dtype in [Bool, I8, I32, I64, U8, U32, F16, Bf16, F32, F64] {
        let tensor = HostTensor::from_f64(dtype, &[2, 2], &[0., 1., 1., 0.]);
        let buffer = client.upload_tensor(&tensor, 0).unwrap();
        assert_eq!(buffer.download().unwrap(), tensor);
    }
    let empty = HostTensor::zeros(F32, &[0, 3]);
    assert_eq!(client.upload_tensor(&empty, 1).unwrap().download().unwrap(), empty);
}

#[test]
fn shared_upload_keeps_the_host_data_until_it_is_read() {
    let Some(client) = client() else { return };
    let values: Vec<u8> = (0..1u32 << 20).flat_map(|i| (i as f32).to_ne_bytes()).collect();
    let data = Arc::new(values);
    let alive = Arc::downgrade(&data);
    let buffer = client.upload_shared(data, DType::F32, &[1 << 20], 3).unwrap();
    let pending = buffer.start_download().unwrap();
    let values = pending.wait().unwrap().to_vec::<f32>();
    assert!(values.iter().enumerate().all(|(i, &v)| v == i as f32));
    drop(buffer);
    // The plugin lets go soon after the transfer, from a thread of its own.
    for _ in 0..1000 {
        if alive.strong_count() == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the plugin still holds the host data");
}

#[test]
fn a_value_is_changed_in_place_when_no_launch_reads_it_any_more() {
    let Some(client) = client() else { return };
    let square = "tensor<512x512xf32>";
    let times =
        |y: &str, z: &str| format!("%{z} = stablehlo.dot %{y}, %x : ({square}, {square}) -> {square}\n");
    let program = format!(
        "module @powers {{
      func.func public @main(%x: {square}) -> {square} {{
        {}{}{}
        return %c : {square}
      }}
    }}",
        times("x", "a"),
        times("a", "b"),
        times("b", "c")
    );
    let powers = client.compile(&program, &CompileOptions::on_device(0)).unwrap();
    // Whose powers are all the same.
    let even = HostTensor::new(&[512, 512], &vec![1f32 / 512.0; 512 * 512]);
    let mut x = client.upload_tensor(&even, 0).unwrap();
    let outputs = powers.execute(vec![vec![(&x).into()]]).unwrap().remove(0);
    x.host_bytes_mut().unwrap().fill(0);
    assert!(floats(&outputs[0]).iter().all(|&y| (y - 1.0 / 512.0).abs() < 1e-6));
    assert!(floats(&x).iter().all(|&y| y == 0.0));
}

#[test]
fn collectives_run_over_four_devices_in_one_launch() {
    let Some(client) = client() else { return };
    let exchange = client.compile(EXCHANGE, &CompileOptions::replicas(4)).unwrap();
    check_exchange(&client, &exchange);
}

const EXCHANGE: &str = r#"module @exchange attributes {mhlo.num_replicas = 4 : i32} {
      func.func public @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
        %a = "stablehlo.all_to_all"(%x) {split_dimension = 0 : i64, concat_dimension = 0 : i64, split_count = 4 : i64,
          replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>} : (tensor<4xf32>) -> tensor<4xf32>
        %s = "stablehlo.all_reduce"(%x) ({
          ^bb0(%l: tensor<f32>, %r: tensor<f32>):
            %t = stablehlo.add %l, %r : tensor<f32>
            stablehlo.return %t : tensor<f32>
        }) {replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>} : (tensor<4xf32>) -> tensor<4xf32>
        return %a, %s : tensor<4xf32>, tensor<4xf32>
      }
    }"#;

fn check_exchange(client: &Client, exchange: &Executable) {
    let row = |d: usize| HostTensor::new(&[4], &[0, 1, 2, 3].map(|i| (10 * d + i) as f32));
    let inputs: Vec<_> = (0..4).map(|d| vec![client.upload_tensor(&row(d), d).unwrap()]).collect();
    let outputs = exchange.execute(borrow(&inputs)).unwrap();
    for (d, outputs) in outputs.iter().enumerate() {
        assert_eq!(floats(&outputs[0]), [0, 10, 20, 30].map(|v| (v + d) as f32));
        assert_eq!(floats(&outputs[1]), [60., 64., 68., 72.]);
    }
    let few = exchange.execute(borrow(&inputs[..2])).unwrap_err();
    assert_eq!(few.to_string(), "executing `exchange`: it runs on 4 devices, arguments for 2 given");
}

const INCREMENT: &str = "module @increment {
  func.func public @main(%x: tensor<256xf32> {tf.aliasing_output = 0 : i32}) -> tensor<256xf32> {
    %one = stablehlo.constant dense<1.0> : tensor<256xf32>
    %y = stablehlo.add %x, %one : tensor<256xf32>
    return %y : tensor<256xf32>
  }
}";

#[test]
fn a_donated_argument_is_reused_and_a_borrowed_one_is_not() {
    let Some(client) = client() else { return };
    let increment = client.compile(INCREMENT, &CompileOptions::default()).unwrap();
    assert_eq!(increment.memory_stats().unwrap().alias_bytes, 1024);
    let x = client.upload_tensor(&HostTensor::zeros(DType::F32, &[256]), 0).unwrap();
    let y = increment.execute(vec![vec![(&x).into()]]).unwrap().remove(0).remove(0);
    assert_eq!(floats(&x), [0.0; 256], "borrowed: the marked argument is copied");
    assert_eq!(floats(&y), [1.0; 256]);
    let z = increment.execute(vec![vec![y.into()]]).unwrap().remove(0).remove(0);
    assert_eq!(floats(&z), [2.0; 256]);
}

#[test]
fn errors_carry_the_plugins_own_words() {
    let Some(client) = client() else { return };
    let error = client.compile("module { this is no program }", &CompileOptions::default()).unwrap_err();
    let PjrtError::Plugin { function, code, message } = error else { panic!("{error}") };
    // XLA gives whatever the MLIR parser says the code "unknown".
    assert_eq!((function, code), ("PJRT_Client_Compile", ErrorCode::Unknown));
    assert!(message.contains("custom op 'this' is unknown"), "{message}");

    let error = client.upload(&[0; 7], DType::F32, &[2], 0).unwrap_err();
    assert_eq!(error.to_string(), "upload of f32[2]: 8 bytes required, 7 given");
    let error = client.upload(&[0; 8], DType::F32, &[2], 9).unwrap_err();
    assert!(error.to_string().starts_with("device 9: the client has 4;"), "{error}");

    let increment = client.compile(INCREMENT, &CompileOptions::default()).unwrap();
    let small = client.upload_tensor(&HostTensor::zeros(DType::F32, &[2]), 0).unwrap();
    assert!(increment.execute(vec![vec![(&small).into()]]).is_err());
    assert!(increment.execute(vec![vec![]]).is_err());
}

#[test]
fn the_cache_loads_what_it_stored_and_repairs_damage() {
    let Some(client) = client() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = ExecutableCache::new(folder.path());
    let options = CompileOptions::replicas(4);
    let outcome = |expected: CacheOutcome| {
        let (exchange, outcome) = cache.get_or_compile(&client, EXCHANGE, &options).unwrap();
        assert_eq!(outcome, expected);
        check_exchange(&client, &exchange);
    };
    outcome(CacheOutcome::Stored);
    outcome(CacheOutcome::Loaded);
    let path = cache.path(&client, EXCHANGE, &options).unwrap();
    assert_ne!(path, cache.path(&client, EXCHANGE, &CompileOptions::on_device(0)).unwrap());
    std::fs::write(&path, b"CLGPJRT1 torn").unwrap();
    outcome(CacheOutcome::Stored);
    outcome(CacheOutcome::Loaded);

    let file = ExecutableCache::new(&path); // a folder that cannot be made
    let (_, outcome) = file.get_or_compile(&client, EXCHANGE, &options).unwrap();
    assert!(matches!(outcome, CacheOutcome::NotStored(_)));
}

#[test]
fn a_serialised_program_keeps_devices_donation_and_custom_calls() {
    let Some(client) = client() else { return };
    let bytes = client.compile(INCREMENT, &CompileOptions::on_device(1)).unwrap().serialize().unwrap();
    let increment = client.load_serialized(&bytes).unwrap();
    assert_eq!(increment.devices(), [1]);
    assert_eq!(increment.outputs()[0].dims, [256]);
    assert_eq!(increment.memory_stats().unwrap().alias_bytes, 1024);
    let x = client.upload_tensor(&HostTensor::zeros(DType::F32, &[256]), 1).unwrap();
    let y = increment.execute(vec![vec![x.into()]]).unwrap().remove(0).remove(0);
    assert_eq!(floats(&y), [1.0; 256]);

    ffi::register::<Scale>(client.plugin(), "Host").unwrap();
    let scale = client.compile(&scale_program("good"), &CompileOptions::default()).unwrap();
    let scale = client.load_serialized(&scale.serialize().unwrap()).unwrap();
    let x = client.upload_tensor(&HostTensor::zeros(DType::F32, &[2, 4]), 0).unwrap();
    assert_eq!(floats(&scale.execute(vec![vec![x.into()]]).unwrap()[0][0]), [3.0; 8]);
}

/// Multiplies by the attribute `factor`; adds `offset`; can be told to fail.
struct Scale;

impl ffi::Handler for Scale {
    const NAME: &'static str = "collegium_test_scale";

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        let (factor, offset) = (frame.float("factor")? as f32, frame.integer("offset")? as f32);
        match frame.string("mood")? {
            "error" => return Err("in no mood".into()),
            "panic" => panic!("lost its head"),
            _ => {}
        }
        let x = frame.input::<f32>(0)?;
        let (y, dims) = frame.output::<f32>(0)?;
        assert_eq!(dims, frame.input_dims(0)?);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor + offset);
        Ok(())
    }
}

fn scale_program(mood: &str) -> String {
    format!(
        r#"module @scale {{
          func.func public @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {{
            %y = stablehlo.custom_call @collegium_test_scale(%x) {{api_version = 4 : i32, backend_config =
              {{factor = 2.0 : f32, offset = 3 : i64, mood = "{mood}"}}}} : (tensor<2x4xf32>) -> tensor<2x4xf32>
            return %y : tensor<2x4xf32>
          }}
        }}"#
    )
}

#[test]
fn a_rust_function_is_called_from_a_program() {
    let Some(client) = client() else { return };
    assert!(ffi::is_supported(client.plugin()));
    for _ in 0..2 {
        ffi::register::<Scale>(client.plugin(), "Host").unwrap();
    }
    let x = client.upload_tensor(&HostTensor::new(&[2, 4], &[0f32, 1., 2., 3., 4., 5., 6., 7.]), 0).unwrap();
    let run = |mood| {
        let scale = client.compile(&scale_program(mood), &CompileOptions::default())?;
        scale.execute(vec![vec![(&x).into()]])?.remove(0).remove(0).download()
    };
    assert_eq!(run("good").unwrap().to_vec::<f32>(), [3., 5., 7., 9., 11., 13., 15., 17.]);
    let error = run("error").unwrap_err().to_string();
    assert!(error.contains("custom call `collegium_test_scale`: in no mood"), "{error}");
    let error = run("panic").unwrap_err().to_string();
    assert!(error.contains("custom call `collegium_test_scale`: panicked: lost its head"), "{error}");
}

/// Has the name of another handler.
struct Impostor;

impl ffi::Handler for Impostor {
    const NAME: &'static str = <Scale as ffi::Handler>::NAME;

    fn call(_: &mut CallFrame<'_>) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn one_name_means_one_handler() {
    let Some(client) = client() else { return };
    ffi::register::<Scale>(client.plugin(), "Host").unwrap();
    let error = ffi::register::<Impostor>(client.plugin(), "Host").unwrap_err();
    assert!(error.to_string().contains("another handler has this name"), "{error}");
}

/// Doubles its operand where it lies.
struct DoubleInPlace;

impl ffi::Handler for DoubleInPlace {
    const NAME: &'static str = "collegium_test_double_in_place";

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        let hidden = frame.input::<f32>(0).expect_err("the operand is the result");
        assert!(hidden.contains("shares its memory with output 0"), "{hidden}");
        frame.output::<f32>(0)?.0.iter_mut().for_each(|y| *y *= 2.0);
        frame.output::<f32>(0).map_or(Ok(()), |_| Err("two slices of one result".into()))
    }
}

#[test]
fn a_custom_call_may_work_in_place() {
    let Some(client) = client() else { return };
    ffi::register::<DoubleInPlace>(client.plugin(), "Host").unwrap();
    let program = "module @double {
      func.func public @main(%x: tensor<3xf32>) -> tensor<3xf32> {
        %y = stablehlo.custom_call @collegium_test_double_in_place(%x) {api_version = 4 : i32,
          output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [],
            operand_index = 0, operand_tuple_indices = []>]} : (tensor<3xf32>) -> tensor<3xf32>
        return %y : tensor<3xf32>
      }
    }";
    let double = client.compile(program, &CompileOptions::default()).unwrap();
    let x = client.upload_tensor(&HostTensor::new(&[3], &[1f32, 2., 3.]), 0).unwrap();
    let y = double.execute(vec![vec![(&x).into()]]).unwrap().remove(0).remove(0);
    assert_eq!(floats(&y), [2., 4., 6.]);
    assert_eq!(floats(&x), [1., 2., 3.], "the caller's buffer was only borrowed");
}
