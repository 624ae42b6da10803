//! What an account is made of. A value of one of these types is a good one.

mod email;
mod password;
mod user;

pub use email::{Email, EmailProblem};
pub use password::{Password, PasswordPolicy, PasswordProblem};
pub use user::{UserId, UserRecord};

#[cfg(test)]
mod tests {
    /// So many texts of up to `longest` characters of an alphabet and of all of Unicode, the same ones each time.
    pub(super) fn texts(count: usize, longest: u64, alphabet: &str) -> impl Iterator<Item = String> {
        let alphabet: Vec<char> = alphabet.chars().collect();
        // Knuth's MMIX generator: its upper bits are good enough to choose by.
        let mut state = 0x5EED_u64;
        let mut random = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let text = move |_| {
            let any = |number| char::from_u32(number).unwrap_or('\u{FFFD}');
            (0..random(longest + 1))
                .map(|_| match random(8) {
                    0 => any(u32::try_from(random(0x11_0000)).unwrap_or_default()),
                    _ => alphabet[usize::try_from(random(alphabet.len() as u64)).unwrap_or_default()],
                })
                .collect()
        };
        (0..count).map(text)
    }
}
