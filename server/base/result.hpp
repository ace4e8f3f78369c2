// SPDX-License-Identifier: MIT
// A value or the reason why there is none; used in every process.
#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <boost/outcome/try.hpp>
#include <cerrno>
#include <string>

namespace base {

// What failed, in words for the administrator, and errno (0 when no system call was at fault).
struct Error {
    std::string what;
    int number = 0;

    // "what: No such file or directory"
    [[nodiscard]] std::string text() const;
};

template <typename T>
using Result =
    boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;
using boost::outcome_v2::success;

// The failure of the system call that just returned -1.
[[nodiscard]] Error system_error(std::string what, int number = errno);

}  // namespace base

#define TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
#define CO_TRY(...) BOOST_OUTCOME_CO_TRY(__VA_ARGS__)
