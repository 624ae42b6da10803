//! How long to wait after so many failures in a row.

const SECOND: i64 = 1_000_000;

/// Failures that an account has free from one client network.
const FREE: i64 = 5;

/// Failures that an account has free from all networks together.
const FREE_ANYWHERE: i64 = 100;

const LONGEST: i64 = 60 * SECOND;

/// The wait between attempts on an account from one network, in microseconds: 1 s after 5 failures in a row, then 2, 4
/// and so on up to 60 s.
pub(super) fn from_one_network(failures: i64) -> i64 {
    match failures - FREE {
        beyond if beyond < 0 => 0,
        beyond if beyond < 6 => SECOND << beyond,
        _ => LONGEST,
    }
}

/// The wait between attempts on an account from networks that it is not used from, in microseconds: 60 s after 100
/// failures in a row from anywhere.
pub(super) fn from_anywhere(failures: i64) -> i64 {
    if failures < FREE_ANYWHERE { 0 } else { LONGEST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_the_wait_doubles_up_to_a_minute() {
        let seconds: Vec<i64> = (0..14).map(|failures| from_one_network(failures) / SECOND).collect();

        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(from_one_network(i64::MAX), LONGEST);
    }

    #[test]
    fn after_a_hundred_failures_from_anywhere_it_is_a_minute() {
        assert_eq!([from_anywhere(99), from_anywhere(100)], [0, LONGEST]);
    }
}
