// SPDX-License-Identifier: MIT
// A user database of the test's own: the program's functions come before the C library's.
#include "tests/helpers/people.hpp"

#include <algorithm>
#include <cerrno>

#include <grp.h>
#include <pwd.h>

namespace people {
namespace {

std::vector<Person>& known() {
    static std::vector<Person> all;
    return all;
}

int failure = 0;

passwd* entry_of(const Person& person) {
    static std::string name;
    static std::string home;
    static char nothing[] = "";
    static passwd entry;
    name = person.name;
    home = person.home;
    entry = {name.data(), nothing, person.uid, person.gid, nothing, home.data(), nothing};
    return &entry;
}

template <typename Is>
passwd* find(Is is) {
    errno = failure;
    if (failure != 0) return nullptr;
    const auto found = std::find_if(known().begin(), known().end(), is);
    return found == known().end() ? nullptr : entry_of(*found);
}

}  // namespace

void are(std::vector<Person> all) { known() = std::move(all); }

void cannot_be_asked(int number) { failure = number; }

}  // namespace people

extern "C" {

passwd* getpwnam(const char* name) {
    return people::find([&](const people::Person& each) { return each.name == name; });
}

passwd* getpwuid(uid_t uid) {
    return people::find([&](const people::Person& each) { return each.uid == uid; });
}

group* getgrgid(gid_t) { return nullptr; }

int getgrouplist(const char* name, gid_t primary, gid_t* groups, int* count) {
    std::vector<gid_t> all = {primary};
    for (const auto& each : people::known()) {
        if (each.name == name) all.insert(all.end(), each.groups.begin(), each.groups.end());
    }
    const auto room = static_cast<std::size_t>(*count);
    *count = static_cast<int>(all.size());
    std::copy_n(all.begin(), std::min(room, all.size()), groups);
    return all.size() > room ? -1 : *count;
}
}
