//! Launching a program: all its devices in one call.
//!
//! A launch returns as soon as the work is queued; outputs are futures. Which arguments may be overwritten is said
//! twice: the program text marks them (`tf.aliasing_output`), and the caller gives them away ([`Arg::Donate`]). An
//! argument that is only borrowed is protected even where the text marks it: the plugin then copies.

use std::sync::{Arc, PoisonError};

use collegium_pjrt_sys as sys;

use crate::event::Event;
use crate::plugin::call;
use crate::{Buffer, Executable, PjrtError};

/// One argument on one device.
#[derive(Debug)]
pub enum Arg<'a> {
    /// Read only.
    Borrow(&'a Buffer),
    /// Given away: the program may reuse its memory for an output. Gone also if the launch fails.
    Donate(Buffer),
}

impl Arg<'_> {
    fn buffer(&self) -> &Buffer {
        match self {
            Self::Borrow(buffer) => buffer,
            Self::Donate(buffer) => buffer,
        }
    }
}

impl<'a> From<&'a Buffer> for Arg<'a> {
    fn from(buffer: &'a Buffer) -> Self {
        Self::Borrow(buffer)
    }
}

impl From<Buffer> for Arg<'_> {
    fn from(buffer: Buffer) -> Self {
        Self::Donate(buffer)
    }
}

impl Executable {
    /// Runs the program once on each of its devices. `args[d][i]` is argument `i` on `self.devices()[d]`; the result is
    /// indexed in the same way. Donation of an argument is all or nothing over the devices.
    pub fn execute(&self, args: Vec<Vec<Arg<'_>>>) -> Result<Vec<Vec<Buffer>>, PjrtError> {
        self.check_arguments(&args)?;
        let kept: Vec<i64> = borrowed_positions(&args[0]);
        let lists: Vec<Vec<_>> =
            args.iter().map(|list| list.iter().map(|a| a.buffer().raw()).collect()).collect();
        let list_ptrs: Vec<_> = lists.iter().map(|list| list.as_ptr()).collect();
        let mut outputs = vec![vec![std::ptr::null_mut(); self.outputs().len()]; args.len()];
        let output_ptrs: Vec<_> = outputs.iter_mut().map(|list| list.as_mut_ptr()).collect();
        let mut events = vec![std::ptr::null_mut(); args.len()];

        let mut options = sys::PJRT_ExecuteOptions::new();
        options.non_donatable_input_indices = kept.as_ptr();
        options.num_non_donatable_input_indices = kept.len();
        let mut call = sys::PJRT_LoadedExecutable_Execute_Args::new();
        call.executable = self.raw();
        call.options = &mut options;
        call.argument_lists = list_ptrs.as_ptr();
        call.num_devices = args.len();
        call.num_args = args[0].len();
        call.output_lists = output_ptrs.as_ptr();
        call.device_complete_events = events.as_mut_ptr();
        {
            let order = self.client().launch_order();
            let _order = (args.len() > 1).then(|| order.lock().unwrap_or_else(PoisonError::into_inner));
            call!(self.client().plugin(), PJRT_LoadedExecutable_Execute, &mut call)?;
        }
        let own = |(list, (event, args)): (&Vec<_>, (_, &Vec<Arg<'_>>))| {
            let origin = Event::from_raw(self.client().plugin(), event).map(Arc::new);
            if self.client().is_host() {
                note_readers(args, origin.as_ref());
            }
            self.own_outputs(list, origin)
        };
        Ok(outputs.iter().zip(events.into_iter().zip(&args)).map(own).collect())
    }

    fn own_outputs(&self, raw: &[*mut sys::PJRT_Buffer], origin: Option<Arc<Event>>) -> Vec<Buffer> {
        let own = |(&raw, spec): (&*mut _, &Arc<_>)| {
            Buffer::from_raw(self.client(), raw, Arc::clone(spec), origin.clone())
        };
        raw.iter().zip(self.outputs()).map(own).collect()
    }

    /// What a plugin may take for granted, so that a mistake is an error and not a crash.
    fn check_arguments(&self, args: &[Vec<Arg<'_>>]) -> Result<(), PjrtError> {
        let wrong = |problem: String| Err(PjrtError::Arguments { program: self.name().into(), problem });
        if args.len() != self.devices().len() || args.is_empty() {
            return wrong(format!(
                "it runs on {} devices, arguments for {} given",
                self.devices().len(),
                args.len()
            ));
        }
        for (device, list) in args.iter().enumerate() {
            if list.len() != args[0].len() {
                let (first, here) = (args[0].len(), list.len());
                return wrong(format!("device 0 has {first} arguments, device {device} has {here}"));
            }
            for (index, (arg, first)) in list.iter().zip(&args[0]).enumerate() {
                if matches!(arg, Arg::Donate(_)) != matches!(first, Arg::Donate(_)) {
                    return wrong(format!(
                        "argument {index} is donated on device 0 or {device}, not on both"
                    ));
                }
                if arg.buffer().client().raw() != self.client().raw() {
                    return wrong(format!("argument {index} on device {device} belongs to another client"));
                }
            }
        }
        Ok(())
    }
}

/// Tells what a launch reads of it, while it runs.
fn note_readers(args: &[Arg<'_>], launch: Option<&Arc<Event>>) {
    let Some(launch) = launch.filter(|launch| !launch.is_ready().unwrap_or(true)) else { return };
    for arg in args {
        if let Arg::Borrow(buffer) = arg {
            buffer.read_by(launch);
        }
    }
}

fn borrowed_positions(args: &[Arg<'_>]) -> Vec<i64> {
    let borrowed = args.iter().enumerate().filter(|(_, arg)| matches!(arg, Arg::Borrow(_)));
    borrowed.map(|(index, _)| index as i64).collect()
}
