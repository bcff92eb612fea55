//! Loads, layouts and plans: which rows of which expert go to which rank. Knows neither graphs nor devices.
