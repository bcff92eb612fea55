//! How many samples are made, and which are returned.

use collegium_serve::Request;

use crate::ApiError;
use crate::wire::Params;

/// Which samples are returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// All.
    All,
    /// So many of the likeliest.
    Likeliest(usize),
    /// One whose answer most agree on.
    Vote,
}

/// Turns `vote` into samples.
pub(super) fn vote(params: &Params, request: &mut Request, keep: &mut Keep) -> Result<(), ApiError> {
    let Some(samples) = params.vote else { return Ok(()) };
    if params.stream || params.n.is_some_and(|n| n != 1) {
        let message = "`vote` returns one answer, once all samples are there; leave `n` and `stream` out";
        return Err(ApiError::field("vote", message));
    }
    request.n = samples;
    *keep = Keep::Vote;
    Ok(())
}

/// Turns `best_of` into samples.
pub(super) fn likeliest(
    best_of: usize,
    params: &Params,
    request: &mut Request,
    keep: &mut Keep,
) -> Result<(), ApiError> {
    let n = params.n.unwrap_or(1);
    if best_of < n || (best_of > n && (params.stream || params.vote.is_some())) {
        let message =
            format!("`best_of` is {best_of}; it must be at least `n` ({n}), without `stream` and `vote`");
        return Err(ApiError::field("best_of", message));
    }
    if best_of > n {
        request.n = best_of;
        // Samples are ranked by them.
        request.logprobs.get_or_insert(0);
        *keep = Keep::Likeliest(n);
    }
    Ok(())
}
