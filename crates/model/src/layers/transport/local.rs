//! One rank in the group: nothing is sent, the cell is the expert rows themselves.

use collegium_balance::{Plan, Tables};
use collegium_core::HostTensor;
use collegium_hlo::Value;

use super::all_to_all::{cell_inputs, cell_tables};
use super::{Routed, Sizes, Table, Transport};
use crate::layers::cells::{self, Addressing};

/// No transport.
pub struct Local;

impl Transport for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn places_on_device(&self) -> bool {
        true
    }

    fn inputs(&self, sizes: &Sizes) -> Vec<Table> {
        cell_inputs(sizes)
    }

    fn tables(&self, plan: &Plan, sizes: &Sizes) -> Vec<Vec<HostTensor>> {
        cell_tables(&Tables::new(plan, sizes.bucket, sizes.block), sizes)
    }

    fn experts<'g>(&self, routed: &Routed<'g>, tables: &[Value<'g>], sizes: &Sizes) -> Value<'g> {
        let [first, offset, block_slot] = tables[..] else { unreachable!("as many as inputs") };
        cells::experts(
            routed,
            &Addressing::of_one_source(first, offset, sizes.bucket.places, block_slot, None),
        )
    }
}
