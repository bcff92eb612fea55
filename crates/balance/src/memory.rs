//! Whether slots fit in memory.

use crate::BalanceError;

/// How many slots of `slot_bytes` fit in `free_bytes`, if at least `slots` do.
///
/// # Errors
/// Fewer fit; the error says how much memory is missing.
pub fn check_slot_memory(slots: usize, slot_bytes: u64, free_bytes: u64) -> Result<usize, BalanceError> {
    let fit = usize::try_from(free_bytes / slot_bytes.max(1)).unwrap_or(usize::MAX);
    if fit >= slots {
        return Ok(fit);
    }
    let needed = slots as u64 * slot_bytes;
    Err(BalanceError::Memory { slots, slot_bytes, missing: needed.saturating_sub(free_bytes), fit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_much_is_missing() {
        assert_eq!(check_slot_memory(9, 17_300_000, 173_000_000), Ok(10));
        let error = check_slot_memory(11, 17_300_000, 173_000_000).unwrap_err().to_string();
        assert_eq!(
            error,
            "11 slots of 17.3 MB need 190.3 MB, 17.3 MB more than there is; 10 slots fit: allow fewer clones or spare slots"
        );
    }
}
