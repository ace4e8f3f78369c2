// SPDX-License-Identifier: MIT
// The lines of vsftpd.log, xferlog and the JSON log; runs in the supervisor, as root.
#include "supervisor/record_lines.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace supervisor {
namespace {

using std::chrono::system_clock;
using Kind = Entry::Kind;

struct KindNames {
    Kind kind;
    std::string_view vsftpd;
    std::string_view json;
    bool has_outcome;  // "OK " or "FAIL " in front
};

// In the order of Entry::Kind.
// clang-format off
constexpr KindNames kind_names[] = {
    {Kind::connect,          "CONNECT",      "connect",  false},
    {Kind::refused_too_many, "CONNECT",      "refused",  false},
    {Kind::refused_per_ip,   "CONNECT",      "refused",  false},
    {Kind::refused_by_rule,  "CONNECT",      "refused",  false},
    {Kind::refused_crashing, "CONNECT",      "refused",  false},
    {Kind::login,            "LOGIN",        "login",    true},
    {Kind::download,         "DOWNLOAD",     "download", true},
    {Kind::upload,           "UPLOAD",       "upload",   true},
    {Kind::mkdir,            "MKDIR",        "mkdir",    true},
    {Kind::rmdir,            "RMDIR",        "rmdir",    true},
    {Kind::rename,           "RENAME",       "rename",   true},
    {Kind::chmod,            "CHMOD",        "chmod",    true},
    {Kind::remove,           "DELETE",       "delete",   true},
    {Kind::command,          "FTP command",  "command",  false},
    {Kind::response,         "FTP response", "response", false},
    {Kind::debug,            "DEBUG",        "debug",    false},
    {Kind::died,             "OOPS",         "oops",     false},
};
// clang-format on

const KindNames& names_of(Kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::string_view refusal(Kind kind) {
    switch (kind) {
        case Kind::refused_too_many:
            return "Connection refused: too many sessions.";
        case Kind::refused_per_ip:
            return "Connection refused: too many sessions for this address.";
        case Kind::refused_by_rule:
            return "Connection refused: tcp_wrappers denial.";
        case Kind::refused_crashing:
            return "Connection refused: its sessions crashed.";
        default:
            return {};
    }
}

// "Mon Nov  3 22:50:48 2026": local time even with use_localtime=NO, the day padded with a blank.
std::string date(system_clock::time_point time) {
    const auto seconds = system_clock::to_time_t(time);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[64];
    const auto length = std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local);
    return {text, length};
}

std::string own_start(system_clock::time_point time, pid_t pid) {
    return date(time) + " [pid " + std::to_string(pid) + "] ";
}

// A transfer that took no time is taken for one of a tenth of a second, as vsftpd does.
std::string rate(const Entry& entry) {
    const double seconds =
        entry.duration.count() > 0 ? static_cast<double>(entry.duration.count()) / 1e6 : 0.1;
    char text[64];
    const int length = std::snprintf(text, sizeof text, "%.2fKbyte/sec",
                                     static_cast<double>(entry.bytes) / seconds / 1024);
    return {text, static_cast<std::size_t>(length)};
}

// Quotes end a field, so there are none within.
std::string in_quotes(std::string_view text) { return base::quoted(text); }

// A field between blanks: it has none, and it is not empty.
std::string field(std::string_view text) {
    auto result = base::escaped(text);
    std::replace(result.begin(), result.end(), ' ', '_');
    return result.empty() ? "?" : result;
}

// What stands in quotes after the client's address.
std::string subject(const Entry& entry) {
    if (const auto why = refusal(entry.kind); !why.empty()) return in_quotes(why);
    if (entry.kind == Kind::died) return in_quotes(entry.reason);
    if (entry.path.empty() && entry.second.empty()) return {};
    return in_quotes(entry.second.empty() ? entry.path : entry.path + ' ' + entry.second);
}

}  // namespace

std::optional<Kind> kind_of(ipc::Event event) {
    switch (event) {
        case ipc::Event::download:
            return Kind::download;
        case ipc::Event::upload:
            return Kind::upload;
        case ipc::Event::mkdir:
            return Kind::mkdir;
        case ipc::Event::rmdir:
            return Kind::rmdir;
        case ipc::Event::rename:
            return Kind::rename;
        case ipc::Event::chmod:
            return Kind::chmod;
        case ipc::Event::remove:
            return Kind::remove;
        case ipc::Event::command:
            return Kind::command;
        case ipc::Event::response:
            return Kind::response;
        case ipc::Event::debug:
            return Kind::debug;
        case ipc::Event::refused:
        case ipc::Event::warning:
        case ipc::Event::fatal:
            break;
    }
    return std::nullopt;
}

bool is_transfer(Kind kind) { return kind == Kind::download || kind == Kind::upload; }

// ----- vsftpd's own format

std::string own_text(const Entry& entry) {
    const auto& names = names_of(entry.kind);
    std::string line;
    // A name in brackets ends at the first one, and a failed login has one: readers of the log rely
    // on it.
    if (!entry.user.empty())
        line += '[' + base::escaped(entry.user, "[]\"") + "] ";
    else if (entry.kind == Kind::login)
        line += "[?] ";
    if (names.has_outcome) line += entry.success ? "OK " : "FAIL ";
    line += names.vsftpd;
    line += ": Client \"" + entry.client + '"';
    if (entry.kind == Kind::login && !entry.shown_password.empty())
        line += ", anon password " + in_quotes(entry.shown_password);
    if (entry.kind == Kind::login && !entry.certificate.empty())
        line += ", certificate " + in_quotes(entry.certificate);
    if (const auto what = subject(entry); !what.empty()) line += ", " + what;
    if (!entry.remark.empty()) line += ", " + in_quotes(entry.remark);
    if (!is_transfer(entry.kind)) return line;
    if (entry.bytes > 0) line += ", " + std::to_string(entry.bytes) + " bytes";
    return line + ", " + rate(entry);
}

std::string own_line(const Entry& entry) {
    return own_start(entry.time, entry.pid) + own_text(entry);
}

// ----- wu-ftpd's format

std::string xferlog_line(const Entry& entry) {
    const auto seconds = std::chrono::round<std::chrono::seconds>(entry.duration).count();
    auto line = date(entry.time) + ' ' + std::to_string(std::max<std::int64_t>(seconds, 1)) + ' ' +
                entry.client + ' ' + std::to_string(entry.bytes) + ' ' + field(entry.path);
    line += entry.ascii ? " a" : " b";
    line += entry.kind == Kind::upload ? " _ i " : " _ o ";
    if (entry.guest)
        line += "g " + field(entry.user);
    else if (entry.anonymous)
        line += "a " + field(entry.shown_password);
    else
        line += "r " + field(entry.user);
    return line + " ftp 0 * " + (entry.success ? 'c' : 'i');
}

// ----- JSON

namespace {

// "2026-11-23T21:50:48.123Z" (RFC 3339)
std::string timestamp(system_clock::time_point time) {
    using std::chrono::milliseconds;
    const auto since = std::chrono::floor<milliseconds>(time.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const std::time_t whole = seconds.count();
    std::tm utc{};
    ::gmtime_r(&whole, &utc);
    char text[64];
    const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    char fraction[16];
    const int more = std::snprintf(fraction, sizeof fraction, ".%03dZ",
                                   static_cast<int>((since - seconds).count()));
    return std::string(text, length).append(fraction, static_cast<std::size_t>(more));
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (const char c : bytes) {
        result += digits[static_cast<unsigned char>(c) >> 4];
        result += digits[static_cast<unsigned char>(c) & 15];
    }
    return result;
}

struct JsonText {
    std::string text;
    bool exact = true;  // false: some bytes were no UTF-8
};

JsonText json_text(std::string_view text) {
    JsonText result;
    while (!text.empty()) {
        const char c = text.front();
        std::size_t length = 1;
        if (static_cast<unsigned char>(c) >= 0x80) {
            const auto end = std::find_if(text.begin(), text.end(), [](char each) {
                return static_cast<unsigned char>(each) < 0x80;
            });
            length = static_cast<std::size_t>(end - text.begin());
            // Without ASCII in it, every backslash stands for a byte that is no UTF-8: \xNN.
            const auto shown = base::escaped(text.substr(0, length));
            for (std::size_t i = 0; i < shown.size(); ++i) {
                if (shown[i] != '\\') {
                    result.text += shown[i];
                    continue;
                }
                result.text += "\\ufffd";
                result.exact = false;
                i += 3;
            }
        } else if (c == '"' || c == '\\') {
            result.text += {'\\', c};
        } else if (c < 0x20 || c == 0x7F) {
            result.text += "\\u00" + hexadecimal(text.substr(0, 1));
        } else {
            result.text += c;
        }
        text.remove_prefix(length);
    }
    return result;
}

class JsonObject {
  public:
    void text(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        auto made = json_text(value);
        raw(name, '"' + std::move(made.text) + '"');
        if (!made.exact) raw(std::string(name) + "_hex", '"' + hexadecimal(value) + '"');
    }
    void number(std::string_view name, std::uint64_t value) { raw(name, std::to_string(value)); }
    void raw(std::string_view name, std::string_view value) {
        line_ += line_.empty() ? "{\"" : ",\"";
        (line_ += name) += "\":";
        line_ += value;
    }
    [[nodiscard]] std::string take() { return std::move(line_) + '}'; }

  private:
    std::string line_;
};

std::string_view account(const Entry& entry) {
    if (entry.user.empty()) return {};
    return entry.guest ? "guest" : entry.anonymous ? "anonymous" : "user";
}

// "0.123456"
std::string seconds_text(std::chrono::microseconds duration) {
    char text[64];
    const int length =
        std::snprintf(text, sizeof text, "%.6f", static_cast<double>(duration.count()) / 1e6);
    return {text, static_cast<std::size_t>(length)};
}

}  // namespace

std::string json_line(const Entry& entry) {
    const auto& names = names_of(entry.kind);
    const bool protocol =
        entry.kind == Kind::command || entry.kind == Kind::response || entry.kind == Kind::debug;
    JsonObject object;
    object.text("time", timestamp(entry.time));
    object.text("event", names.json);
    if (entry.session != 0) object.number("session", entry.session);
    object.number("pid", static_cast<std::uint64_t>(entry.pid));
    object.text("user", entry.user);
    object.text("account", account(entry));
    object.text("client", entry.client);
    if (entry.kind == Kind::login) object.text("anon_password", entry.shown_password);
    if (entry.kind == Kind::login) object.text("certificate", entry.certificate);
    object.text(protocol ? "text" : "path", entry.path);
    object.text(entry.kind == Kind::chmod ? "mode" : "second", entry.second);
    if (is_transfer(entry.kind)) {
        object.number("bytes", entry.bytes);
        object.raw("duration", seconds_text(entry.duration));
        object.text("type", entry.ascii ? "ascii" : "binary");
    }
    if (names.has_outcome) object.raw("success", entry.success ? "true" : "false");
    const auto why = refusal(entry.kind);
    object.text("reason", why.empty() ? std::string_view(entry.reason) : why);
    return object.take();
}

// ----- what was lost

std::string lost_text(std::uint64_t count) { return std::to_string(count) + " records lost"; }

std::string lost_own_line(std::uint64_t count) {
    return own_start(system_clock::now(), ::getpid()) + lost_text(count);
}

std::string lost_json_line(std::uint64_t count) {
    JsonObject object;
    object.text("time", timestamp(system_clock::now()));
    object.text("event", "lost");
    object.number("records", count);
    return object.take();
}

}  // namespace supervisor
