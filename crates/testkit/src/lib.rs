//! Tables of cases run as correctness, gradient and support tests.
