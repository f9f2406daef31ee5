/*
 * The least that an echo server can do: one epoll descriptor, one thread, level-triggered. It stands
 * beside the contenders as the ceiling. It prints its address and ends when its standard input does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_SECONDS 300

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int ep, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		die("epoll_ctl");
}

static void echo(int fd)
{
	char buf[1024];
	ssize_t n = read(fd, buf, sizeof buf);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Small messages, one in flight: a short write does not happen, and ends the session if it does. */
	if (n <= 0 || write(fd, buf, n) != n)
		close(fd);
}

int main(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		die("getrlimit");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("setrlimit");

	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;
	if (l < 0 || bind(l, (struct sockaddr *)&addr, len) < 0 || listen(l, 4096) < 0 ||
	    getsockname(l, (struct sockaddr *)&addr, &len) < 0)
		die("listen");
	printf("127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	alarm(LIMIT_SECONDS);

	int ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0)
		die("epoll_create1");
	watch(ep, l);
	watch(ep, STDIN_FILENO);

	struct epoll_event ready[256];
	for (;;) {
		int n = epoll_wait(ep, ready, sizeof ready / sizeof *ready, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			int fd = ready[i].data.fd;
			if (fd == STDIN_FILENO)
				return 0;
			if (fd != l) {
				echo(fd);
				continue;
			}
			int c = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (c < 0)
				die("accept4");
			int on = 1;
			setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			watch(ep, c);
		}
	}
}
