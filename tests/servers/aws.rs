//! The sources `aws` and `ssm` against moto, through the real binary, with Amazon's own command
//! line on the other side.

mod faults;
mod logins;
mod parameters;
mod secrets;

use doppio_test_support::Doppio;

/// The value of a reference, as the binary prints it.
#[track_caller]
fn reveal(doppio: &Doppio, reference: &str) -> String {
    doppio.run(["secret", "get", reference, "--reveal", "--force"]).expect(0).stdout
}
