//! Programs with names bound to buffers. A program is compiled when it is first needed, or ahead, several at a time.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use collegium_hlo::{ForwardBackward, Program};
use collegium_runtime::{Array, Backend, Executable};

use crate::TrainError;

/// Arrays by name: what a program is given and what it gives.
#[derive(Clone, Default)]
pub struct Env(HashMap<String, Array>);

impl Env {
    /// One more name.
    pub fn with(mut self, name: &str, array: Array) -> Self {
        self.0.insert(name.to_string(), array);
        self
    }

    /// These arrays, and those of `other` under their names.
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(name, array)| (name.clone(), array.clone())));
        self
    }

    /// The tables of the rotary embedding.
    pub fn with_rotation(self, (cos, sin): (Array, Array)) -> Self {
        self.with("cos", cos).with("sin", sin)
    }

    /// The array called `name`.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The array called `name`, taken out, if there is one.
    pub fn remove(&mut self, name: &str) -> Option<Array> {
        self.0.remove(name)
    }

    /// The array called `name`, taken out.
    ///
    /// # Panics
    /// If the program that made this environment has no such output: a mismatch between this file's callers and `model::programs`.
    pub fn take(&mut self, name: &str) -> Array {
        self.0.remove(name).unwrap_or_else(|| panic!("no array `{name}` among {:?}", self.0.keys()))
    }

    /// All names with their arrays.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.0.iter().map(|(n, a)| (n.as_str(), a))
    }
}

/// A program and, once compiled, its executable.
pub struct Compiled {
    program: Program,
    executable: OnceLock<Arc<dyn Executable>>,
}

impl Compiled {
    /// A program to be compiled when needed.
    pub fn new(program: Program) -> Arc<Self> {
        Arc::new(Self { program, executable: OnceLock::new() })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    fn executable(&self, backend: &dyn Backend) -> Result<&Arc<dyn Executable>, TrainError> {
        if let Some(executable) = self.executable.get() {
            return Ok(executable);
        }
        let executable = backend.compile(&self.program)?;
        Ok(self.executable.get_or_init(|| executable))
    }

    /// Runs the program; `find` gives the array for each input name (taken out of its owner where the input is donated).
    ///
    /// # Panics
    /// If `find` lacks an input: a mismatch between the engine and `model::programs`.
    pub fn call(
        &self,
        backend: &dyn Backend,
        mut find: impl FnMut(&str) -> Option<Array>,
    ) -> Result<Env, TrainError> {
        let bind = |(name, _): (&str, _)| {
            find(name).unwrap_or_else(|| {
                panic!("program `{}` got no array for its input `{name}`", self.program.name)
            })
        };
        let inputs: Vec<Array> = self.program.inputs().map(bind).collect();
        let outputs = self.executable(backend)?.run(inputs)?;
        Ok(Env(self.program.outputs().map(|(name, _)| name.to_string()).zip(outputs).collect()))
    }
}

/// The two halves of a layer.
#[derive(Clone)]
pub struct Halves {
    /// Forward.
    pub forward: Arc<Compiled>,
    /// Backward.
    pub backward: Arc<Compiled>,
    /// Forward outputs that the backward half reads.
    pub residuals: Arc<Vec<String>>,
}

impl Halves {
    /// Both halves of a split graph, to be compiled when needed.
    pub fn new(split: ForwardBackward) -> Self {
        Self {
            forward: Compiled::new(split.forward),
            backward: Compiled::new(split.backward),
            residuals: Arc::new(split.residuals),
        }
    }
}

/// Compiles programs on as many threads as there are cores; seconds taken.
///
/// # Errors
/// What the compiler says of the first program that fails.
pub fn compile_all(backend: &dyn Backend, programs: &[Arc<Compiled>]) -> Result<f64, TrainError> {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || -> Result<(), TrainError> {
        while let Some(program) = programs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            program.executable(backend)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|w| w.join().expect("compilation reports errors, it does not panic"))
    })?;
    Ok(started.elapsed().as_secs_f64())
}
