// SPDX-License-Identifier: MIT
// The only includer of spdlog; runs in the supervisor and in the processes that it execs.
#include "base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include <unistd.h>

namespace base::log {
namespace {

// One write(2) a line: lines of several processes never mix, and a closed pipe ends nobody
// (SIGPIPE is ignored everywhere).
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    }
    void flush_() override {}
};

class JournalPriority final : public spdlog::custom_flag_formatter {
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        const char digit = message.level >= spdlog::level::err    ? '3'
                           : message.level >= spdlog::level::warn ? '4'
                           : message.level >= spdlog::level::info ? '6'
                                                                  : '7';
        line.push_back('<');
        line.push_back(digit);
        line.push_back('>');
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }
};

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: break;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::logger>& logger() {
    static std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>("jailftpd", std::make_shared<StandardError>());
        made->set_pattern("jailftpd: %l: %v");
        return made;
    }();
    return instance;
}

}  // namespace

void start(Level least) {
    if (std::getenv("JOURNAL_STREAM") != nullptr) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<JournalPriority>('*').set_pattern("%*%v");
        logger()->set_formatter(std::move(formatter));
    }
    logger()->set_level(spdlog_level(least));
}

void write(Level level, std::string_view message) {
    logger()->log(spdlog_level(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace base::log
