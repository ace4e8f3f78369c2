// SPDX-License-Identifier: MIT
// The vsftpd.conf dialect; runs in the supervisor, the authenticator and the helpers.
#include "config/conf_file.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view without_leading_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    return first == text.npos ? std::string_view{} : text.substr(first);
}

std::string_view without_trailing_blanks(std::string_view text) {
    const auto last = text.find_last_not_of(blanks);
    return last == text.npos ? std::string_view{} : text.substr(0, last + 1);
}

bool is_text(const OptionInfo& info) { return info.kind == Kind::Text || info.kind == Kind::Path; }

std::string unknown_remedy(std::string_view name) {
    if (name.starts_with('#') || name.starts_with(';') || name.starts_with("//"))
        return "a comment starts with # in the first column";
    const auto similar = similar_option(name);
    if (!similar.empty()) return "did you mean " + std::string(similar) + "?";
    // A script that appends to a file without a final newline makes such names.
    const OptionInfo* tail = nullptr;
    for (const auto& info : option_table()) {
        if (name.ends_with(info.name) && (tail == nullptr || info.name.size() > tail->name.size()))
            tail = &info;
    }
    if (tail != nullptr)
        return "two lines may have run together: start a new one before " + std::string(tail->name);
    return "vsftpd.conf(5) lists the options; remove the line if it belongs to another program";
}

std::string range_of(const OptionInfo& info) {
    switch (info.kind) {
        case Kind::Port:
            return "a port is a number from 0 to 65535";
        case Kind::Octal:
            return "write an octal number with a leading 0, such as 022";
        default:
            return "a number of 0 or more";
    }
}

}  // namespace

void parse_line(std::string_view text, const std::string& file, std::size_t line,
                Problems& problems, const std::function<void(const Setting&)>& on_setting) {
    const auto say = [&](Severity severity, std::string_view option, std::string what,
                         std::string remedy) {
        problems.push_back(
            {severity, file, line, std::string(option), std::move(what), std::move(remedy)});
    };
    if (line == 1 && text.starts_with(byte_order_mark)) {
        text.remove_prefix(byte_order_mark.size());
        say(Severity::warning, {}, "the file starts with a UTF-8 byte order mark",
            "vsftpd would refuse it; save the file without");
    }
    if (text.starts_with('#')) return;
    if (const auto nul = text.find('\0'); nul != text.npos) {
        text = text.substr(0, nul);
        say(Severity::warning, {}, "the line holds a NUL byte and is read up to it",
            "remove the byte");
    }
    text = without_leading_blanks(text);
    if (without_trailing_blanks(text).empty()) return;

    const auto equals = text.find('=');
    auto name = text.substr(0, equals);
    auto value = equals == text.npos ? std::string_view{} : text.substr(equals + 1);
    bool odd_blanks = false;
    if (const auto trimmed = without_trailing_blanks(name); trimmed != name) {
        // Only around "=": a name that stands alone may be a broken comment.
        odd_blanks = true;
        name = trimmed;
    }
    const auto* info = find_option(name);
    if (info == nullptr) {
        // vsftpd looks at the value first, so a line without one is blamed for that.
        if (value.empty())
            return say(Severity::error, name,
                       "missing value in config file for: " + std::string(name),
                       unknown_remedy(name));
        return say(Severity::error, name,
                   "unrecognised variable in config file: " + std::string(name),
                   unknown_remedy(name));
    }
    const auto trimmed = without_trailing_blanks(without_leading_blanks(value));
    // Strings are trimmed by vsftpd too.
    if (trimmed != value && info->kind == Kind::Flag) odd_blanks = true;
    if (trimmed != value && !odd_blanks && !is_text(*info) && !trimmed.empty())
        say(Severity::warning, name, "blanks or a CR around the value of " + std::string(name),
            "vsftpd overlooks them; write " + std::string(name) + '=' + std::string(trimmed));
    if (odd_blanks)
        say(Severity::warning, name,
            "blanks or a CR around the name or value of " + std::string(name),
            "vsftpd would refuse the line; write " + std::string(name) + '=' +
                std::string(trimmed));
    if (is_text(*info) && trimmed.empty() && !value.empty())
        say(Severity::warning, name, "the value of " + std::string(name) + " is only blanks",
            "the option counts as unset; vsftpd would crash");
    on_setting({info, std::string(trimmed), line});
}

void parse_conf(std::string_view content, const std::string& file, Problems& problems,
                const std::function<void(const Setting&)>& on_setting) {
    bool told_of_crs = false;
    for (std::size_t line = 1; !content.empty(); ++line) {
        const auto end = content.find('\n');
        auto text = content.substr(0, end);
        if (text.ends_with('\r')) {
            text.remove_suffix(1);
            // One word for all lines of a DOS file.
            if (!std::exchange(told_of_crs, true))
                problems.push_back({Severity::warning,
                                    file,
                                    line,
                                    {},
                                    "the line ends in CR LF, as DOS writes files",
                                    "vsftpd would refuse YES and NO with a CR; save the file with "
                                    "LF alone"});
        }
        parse_line(text, file, line, problems, on_setting);
        if (end == content.npos) return;
        content.remove_prefix(end + 1);
    }
}

bool read_conf_file(const std::string& path, uid_t owner, std::string& content,
                    Problems& problems) {
    const auto fail = [&](std::string what, std::string remedy) {
        problems.push_back({Severity::error, path, 0, {}, std::move(what), std::move(remedy)});
        return false;
    };
    // Not O_NOFOLLOW: a link to a regular file is fine, as for vsftpd. O_NONBLOCK: a FIFO must not
    // hold us.
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) return fail("cannot read config file: " + path, std::strerror(errno));
    struct stat status {};
    if (::fstat(file.get(), &status) < 0)
        return fail("cannot read config file: " + path, std::strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_uid != owner)
        return fail("config file not owned by correct user, or not a file",
                    S_ISREG(status.st_mode) ? "it belongs to uid " + std::to_string(status.st_uid) +
                                                  " and must belong to uid " + std::to_string(owner)
                                            : std::string("it must be a regular file"));
    content.clear();
    char buffer[16384];
    while (content.size() <= largest_file) {
        const auto got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail("cannot read config file: " + path, std::strerror(errno));
        if (got == 0) return true;
        content.append(buffer, static_cast<std::size_t>(got));
    }
    content.resize(largest_file);
    content.resize(content.rfind('\n') + 1);  // a line that is torn would say something else
    problems.push_back(
        {Severity::warning,
         path,
         static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')) + 1,
         {},
         "from this line on the file does not count: it is larger than " +
             std::to_string(largest_file) + " bytes",
         "vsftpd silently ignores the rest; remove repeated lines or comments"});
    return true;
}

void apply(const Setting& setting, const std::string& file, Options& options, Problems& problems) {
    const std::string name(setting.info->name);
    const auto say = [&](Severity severity, std::string what, std::string remedy) {
        problems.push_back(
            {severity, file, setting.line, name, std::move(what), std::move(remedy)});
    };
    const bool names_something = setting.info->kind == Kind::Path || name == "pasv_address" ||
                                 name == "listen_address" || name == "listen_address6";
    if (names_something && (setting.value.find(" #") != std::string::npos ||
                            setting.value.find("\t#") != std::string::npos))
        say(Severity::warning, "what looks like a comment is part of the value of " + name,
            "a comment needs a line of its own");
    if (names_something && setting.value.size() > 1 &&
        setting.value.front() == setting.value.back() &&
        (setting.value.front() == '"' || setting.value.front() == '\''))
        say(Severity::warning, "the quotes are part of the value of " + name,
            "write " + name + '=' + setting.value.substr(1, setting.value.size() - 2));
    switch (set_option(options, *setting.info, setting.value)) {
        case ValueProblem::none:
            break;
        case ValueProblem::missing:
            return say(Severity::error, "missing value in config file for: " + name,
                       "give a value or remove the line; the default is " +
                           value_text(Options{}, *setting.info));
        case ValueProblem::bad_bool: {
            const bool comment = setting.value.find('#') != setting.value.npos;
            return say(Severity::error, "bad bool value in config file for: " + name,
                       comment ? "a comment needs a line of its own"
                               : "\"" + setting.value + "\" is neither YES nor NO");
        }
        case ValueProblem::not_a_number:
            return say(Severity::warning, "\"" + setting.value + "\" is no number for: " + name,
                       "taken as 0; " + range_of(*setting.info));
        case ValueProblem::out_of_range:
            return say(
                Severity::warning, setting.value + " is out of range for: " + name,
                "taken as " + value_text(options, *setting.info) + "; " + range_of(*setting.info));
        case ValueProblem::trailing:
            say(Severity::warning,
                "what follows the number is ignored: " + name + '=' + setting.value,
                "the value is " + value_text(options, *setting.info));
            break;
    }
    warn_of_decimal(setting, file, options, problems);
}

// The classic trap.
void warn_of_decimal(const Setting& setting, const std::string& file, const Options& options,
                     Problems& problems) {
    const auto& value = setting.value;
    if (setting.info->kind != Kind::Octal || value.empty() || value.starts_with('0')) return;
    const std::string name(setting.info->name);
    problems.push_back({Severity::warning, file, setting.line, name,
                        name + '=' + value + " is a decimal number, so it means " +
                            value_text(options, *setting.info),
                        "write " + name + "=0" + value + " if that is what you mean"});
}

}  // namespace config
