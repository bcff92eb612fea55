//! What a run leaves behind: metrics, TensorBoard events, progress, the HTML page.
