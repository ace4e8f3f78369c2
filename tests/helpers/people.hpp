// SPDX-License-Identifier: MIT
// A user database of the test's own in place of the system's: whoever asks the C library is told
// these.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace people {

struct Person {
    std::string name;
    uid_t uid;
    gid_t gid;
    std::string home;
    std::vector<gid_t> groups;  // besides gid
};

// Replaces all that were known.
void are(std::vector<Person> known);

// From now on every question fails with this errno; 0: no more.
void cannot_be_asked(int number);

}  // namespace people
