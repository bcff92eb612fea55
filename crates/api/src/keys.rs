//! API keys.

use axum::http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::ApiError;

/// The keys that open the service; where there are none, it is open. Only their hashes are kept, so that no message can show a key.
#[derive(Clone, Default)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// These keys; those that are empty do not count.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(str::trim).filter(|k| !k.is_empty()).map(hash).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets a request with these headers in. All keys are compared, each in a time that does not depend on what it is.
    ///
    /// # Errors
    /// A key that is missing or wrong.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.is_empty() {
            return Ok(());
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let key = given.and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default();
        let given = hash(key.trim());
        let known = self.0.iter().fold(Choice::from(0), |any, key| any | key.ct_eq(&given));
        if bool::from(known) {
            return Ok(());
        }
        let message = "the API key is missing or wrong; send it as `Authorization: Bearer KEY`";
        Err(ApiError::new(StatusCode::UNAUTHORIZED, message).coded("invalid_api_key"))
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_key_opens() {
        let with = |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        let keys = Keys::new(["one", " two\n", ""]);
        for right in ["Bearer one", "Bearer two"] {
            assert!(keys.check(&with(right)).is_ok());
        }
        for wrong in ["Bearer three", "Bearer ", "one", "Basic one"] {
            assert_eq!(keys.check(&with(wrong)).unwrap_err().status, StatusCode::UNAUTHORIZED);
        }
        assert!(keys.check(&HeaderMap::new()).is_err());
        assert!(Keys::default().check(&HeaderMap::new()).is_ok());
    }
}
