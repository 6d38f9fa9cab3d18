//! The stand-ins for those who rent machines out are what they say they are: the vendors' own
//! clients use them, and their machines cost money, go wrong on order and end.

mod judges;
mod orders;
