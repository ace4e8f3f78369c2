// SPDX-License-Identifier: MIT
// Batches of records; runs in the session.
#include "tls/batches.hpp"

#include "tls/library.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <sys/socket.h>

namespace tls {

const BIO_METHOD* Batches::method() {
    static const BIO_METHOD* const instance = new_bio_method("batches", &read, nullptr, &control);
    return instance;
}

BIO* Batches::bio() {
    auto* made = BIO_new(method());
    if (made != nullptr) BIO_set_data(made, this);
    return made;
}

// Only when it is empty. Without memory it stays as it is.
void Batches::make_room() {
    const auto wanted = much_ ? large : small;
    if (size_ >= wanted) return;
    auto* room = new (std::nothrow) char[wanted];
    if (room == nullptr) return;
    bytes_.reset(room);
    size_ = wanted;
}

int Batches::read(BIO* bio, char* to, std::size_t wanted, std::size_t* got) {
    auto& self = *static_cast<Batches*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.at_ == self.end_) {
        self.make_room();
        const bool straight = wanted >= self.size_;
        const auto count = ::recv(self.socket_, straight ? to : self.bytes_.get(),
                                  straight ? wanted : self.size_, MSG_DONTWAIT);
        self.ended_ = count == 0;
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
        if (count <= 0) return static_cast<int>(count);
        const auto size = static_cast<std::size_t>(count);
        if (straight) return *got = size, 1;
        self.at_ = 0;
        self.end_ = size;
    }
    *got = std::min(wanted, self.end_ - self.at_);
    std::memcpy(to, self.bytes_.get() + self.at_, *got);
    self.at_ += *got;
    return 1;
}

long Batches::control(BIO* bio, int command, long, void*) {
    const auto& self = *static_cast<const Batches*>(BIO_get_data(bio));
    if (command == BIO_CTRL_PENDING) return static_cast<long>(self.end_ - self.at_);
    if (command == BIO_CTRL_EOF) return self.ended_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace tls
