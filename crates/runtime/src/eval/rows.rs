//! Rows picked by index. Devices clamp, drop or abort on an index out of range, each in its own way, so here it is an
//! error: no correct program has one.

use collegium_hlo::{Name, Shape};

use super::tensor::{Tensor, places};

/// `out[index[i..], rest] = table[index[i..], rest]`
pub(super) fn take(table: &Tensor, index: &Tensor, name: Name) -> Result<Vec<f64>, String> {
    let rest = places(&table.shape.dims_without(&[name]), &table.shape);
    let step = table.stride(name);
    let mut out = Vec::with_capacity(index.values.len() * rest.len());
    for &i in &index.values {
        let row = checked(i, table.shape.size(name).unwrap_or(0), name)?;
        out.extend(rest.iter().map(|r| table.values[row * step + r]));
    }
    Ok(out)
}

/// `out[v, rest] = sum of updates[i.., rest] where index[i..] = v`
pub(super) fn scatter_add(index: &Tensor, updates: &Tensor, y: &Shape) -> Result<Vec<f64>, String> {
    let width = y.num_elements() / y.dims[0].size.max(1);
    let mut out = vec![0.0; y.num_elements()];
    for (&i, update) in index.values.iter().zip(updates.values.chunks(width.max(1))) {
        let row = checked(i, y.dims[0].size, y.dims[0].name)?;
        out[row * width..][..width].iter_mut().zip(update).for_each(|(o, u)| *o += u);
    }
    Ok(out)
}

fn checked(index: f64, size: usize, name: Name) -> Result<usize, String> {
    if index >= 0.0 && index < size as f64 {
        Ok(index as usize)
    } else {
        Err(format!(
            "index {index} is outside dim `{name}` of size {size}; clamp indices and mask the values"
        ))
    }
}
