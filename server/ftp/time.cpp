// SPDX-License-Identifier: MIT
// Times on the wire (RFC 3659): MDTM, MFMT and the modify fact; runs in the session.
#include "ftp/time.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <chrono>

namespace ftp {
namespace {

constexpr std::size_t digits_of_date = 8;   // YYYYMMDD
constexpr std::size_t digits_of_time = 14;  // YYYYMMDDHHMMSS
constexpr std::int64_t seconds_of_day = 86400;

// Far outside of what file systems keep, yet safe for every calculation below.
constexpr std::int64_t latest = 253402300799;    // 9999-12-31 23:59:59
constexpr std::int64_t earliest = -62167219200;  // 0000-01-01

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int number(std::string_view digits) { return base::to_number<int>(digits).value_or(-1); }

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

// "123" of "20260101120000.123" as nanoseconds.
std::optional<std::uint32_t> fraction(std::string_view digits) {
    if (digits.empty() || !all_digits(digits)) return std::nullopt;
    std::uint32_t nanoseconds = 0;
    for (std::size_t i = 0; i < 9; ++i) {
        const auto digit = i < digits.size() ? static_cast<std::uint32_t>(digits[i] - '0') : 0U;
        nanoseconds = nanoseconds * 10 + digit;
    }
    return nanoseconds;
}

}  // namespace

void add_two_digits(std::string& to, int number) {
    const char digits[] = {static_cast<char>('0' + number / 10 % 10),
                           static_cast<char>('0' + number % 10)};
    to.append(digits, sizeof digits);
}

void add_year(std::string& to, const std::tm& moment) {
    const auto year = 1900LL + moment.tm_year;
    if (year < 0 || year > 9999) {
        to += std::to_string(year);
        return;
    }
    add_two_digits(to, static_cast<int>(year / 100));
    add_two_digits(to, static_cast<int>(year % 100));
}

void add_time(std::string& to, std::int64_t seconds) {
    const auto moment = utc_calendar(std::clamp(seconds, earliest, latest));
    add_year(to, moment);
    add_two_digits(to, moment.tm_mon + 1);
    for (const int part : {moment.tm_mday, moment.tm_hour, moment.tm_min, moment.tm_sec})
        add_two_digits(to, part);
}

std::string format_time(std::int64_t seconds) {
    std::string text;
    add_time(text, seconds);
    return text;
}

std::optional<Timestamp> parse_time(std::string_view text) {
    using namespace std::chrono;
    const auto whole = text.substr(0, text.find('.'));
    if (whole.size() != digits_of_time || !all_digits(whole)) return std::nullopt;
    const year_month_day date{year{number(whole.substr(0, 4))},
                              month{static_cast<unsigned>(number(whole.substr(4, 2)))},
                              day{static_cast<unsigned>(number(whole.substr(6, 2)))}};
    const int hours = number(whole.substr(8, 2));
    const int minutes = number(whole.substr(10, 2));
    const int seconds = number(whole.substr(12, 2));
    // Before 1583 the calendar was another one; 60 is a leap second.
    if (!date.ok() || date.year() < year{1583} || hours > 23 || minutes > 59 || seconds > 60) {
        return std::nullopt;
    }
    Timestamp result;
    result.seconds = std::int64_t{sys_days{date}.time_since_epoch().count()} * seconds_of_day +
                     (std::int64_t{hours} * 60 + minutes) * 60 + seconds;
    if (whole.size() < text.size()) {
        const auto nanoseconds = fraction(text.substr(whole.size() + 1));
        if (!nanoseconds) return std::nullopt;
        result.nanoseconds = *nanoseconds;
    }
    return result;
}

std::optional<TimeAndFile> parse_time_and_file(std::string_view argument, bool date_alone) {
    const auto word = first_word(argument);
    if (word.size() + 1 >= argument.size()) return std::nullopt;
    const auto time = date_alone && word.size() == digits_of_date
                          ? parse_time(std::string(word) + "000000")
                          : parse_time(word);
    if (!time) return std::nullopt;
    return TimeAndFile{*time, argument.substr(word.size() + 1)};
}

bool looks_like_time(std::string_view argument) {
    const auto word = first_word(argument);
    const auto whole = word.substr(0, word.find('.'));
    return (whole.size() == digits_of_time ||
            (whole.size() == digits_of_date && whole.size() == word.size())) &&
           all_digits(whole);
}

// gmtime_r(3) takes a lock and looks for TZ each time, and a listing asks for every name.
std::tm utc_calendar(std::int64_t seconds) {
    using namespace std::chrono;
    std::tm result{};
    if (seconds < earliest || seconds > latest) {
        const std::time_t moment = seconds;
        // Fails only where the year does not fit an int.
        if (::gmtime_r(&moment, &result) == nullptr) return utc_calendar(0);
        return result;
    }
    const auto day = floor<days>(sys_seconds{std::chrono::seconds{seconds}});
    const year_month_day date{day};
    const auto second = static_cast<int>(seconds - day.time_since_epoch().count() * seconds_of_day);
    result.tm_year = static_cast<int>(date.year()) - 1900;
    result.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
    result.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
    result.tm_hour = second / 3600;
    result.tm_min = second / 60 % 60;
    result.tm_sec = second % 60;
    return result;
}

std::tm local_calendar(std::int64_t seconds) {
    std::tm result{};
    const std::time_t moment = seconds;
    if (::localtime_r(&moment, &result) == nullptr) return utc_calendar(0);
    return result;
}

}  // namespace ftp
