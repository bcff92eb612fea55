//! Rows to their ranks and back, each by one equal-split all-to-all over the whole group.

use collegium_balance::{Plan, Tables};
use collegium_core::{DType, HostTensor};
use collegium_hlo::{Value, dim};

use super::{Routed, Sizes, Table, Transport};
use crate::layers::cells::{self, Addressing, Order};

/// Equal-split all-to-all.
pub struct AllToAll;

impl Transport for AllToAll {
    fn name(&self) -> &'static str {
        "all-to-all"
    }

    fn places_on_device(&self) -> bool {
        true
    }

    fn inputs(&self, sizes: &Sizes) -> Vec<Table> {
        let cells = sizes.topology.num_ranks() * sizes.bucket.places;
        let mut inputs = cell_inputs(sizes);
        inputs.extend(order_inputs(sizes, cells));
        inputs
    }

    fn tables(&self, plan: &Plan, sizes: &Sizes) -> Vec<Vec<HostTensor>> {
        let made = Tables::new(plan, sizes.bucket, sizes.block);
        let mut tables = cell_tables(&made, sizes);
        for (tables, receiver) in tables.iter_mut().zip(&made.receivers) {
            tables.extend([whole(&receiver.row_source), whole(&receiver.cell_target)]);
        }
        tables
    }

    fn experts<'g>(&self, routed: &Routed<'g>, tables: &[Value<'g>], sizes: &Sizes) -> Value<'g> {
        cells::experts(routed, &Self::addressing(tables, sizes, routed.sent_as))
    }
}

impl AllToAll {
    /// The tables of its inputs, for rows that travel as `sent_as`.
    pub fn addressing<'g>(tables: &[Value<'g>], sizes: &Sizes, sent_as: DType) -> Addressing<'g> {
        let [first, offset, block_slot, row_source, cell_target] = tables[..] else {
            unreachable!("as many as inputs")
        };
        let order = Order::over_group(first.graph(), row_source, cell_target, sent_as);
        Addressing::of_one_source(first, offset, sizes.bucket.places, block_slot, Some(order))
    }
}

/// Where the rows of one source go, and the slots of the receiver's blocks.
pub(super) fn cell_inputs(sizes: &Sizes) -> Vec<Table> {
    let table = [dim("expert", sizes.experts), dim("rank", sizes.topology.num_ranks())];
    vec![
        Table::new("first", DType::F32, &table),
        Table::new("offset", DType::F32, &table),
        Table::block_slot(sizes),
    ]
}

/// The order of the rows of a receiver of `cells` cell rows.
pub(super) fn order_inputs(sizes: &Sizes, cells: usize) -> [Table; 2] {
    [
        Table::new("row_source", DType::I32, &[dim("row", sizes.rows())]),
        Table::new("cell_target", DType::I32, &[dim("cell", cells)]),
    ]
}

pub(super) fn cell_tables(made: &Tables, sizes: &Sizes) -> Vec<Vec<HostTensor>> {
    let table = [sizes.experts, sizes.topology.num_ranks()];
    let of_rank =
        |(source, receiver): (&collegium_balance::SourceTables, &collegium_balance::ReceiverTables)| {
            vec![
                HostTensor::new(&table, &source.first),
                HostTensor::new(&table, &source.offset),
                whole(&receiver.block_slot),
            ]
        };
    made.sources.iter().zip(&made.receivers).map(of_rank).collect()
}

/// A table of one dim.
pub(super) fn whole(table: &[i32]) -> HostTensor {
    HostTensor::new(&[table.len()], table)
}
