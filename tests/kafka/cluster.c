/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster of Kafka that forgets everything: the mock cluster of librdkafka, which speaks the
 * protocol on ports of the loopback, and a consumer that shows what comes. For the tests of events.
 *
 *	cluster TOPIC
 *	cluster TOPIC HOST:PORT   the consumer alone, of brokers that are there, and a topic that is
 *
 * Prints `bootstrap HOST:PORT,...`, then a line of JSON for each message. Reads commands, a line
 * each: `down` and `up` (all brokers), `fail N` (the next N requests to produce are answered with
 * an error that is not worth another try), `lose N` (with one that is). Ends with its input.
 */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BROKERS = 3,
	PARTITIONS = 4,
	PRODUCE = 0, /* the API's key */
	ERRORS_MAX = 32,
	COMMAND_BYTES = 64,
};

static rd_kafka_t *make(rd_kafka_type_t type, const char *const settings[][2])
{
	char why[256] = "";
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	for (size_t i = 0; settings[i][0]; i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) !=
			RD_KAFKA_CONF_OK)
			abort();
	rd_kafka_t *ret = rd_kafka_new(type, conf, why, sizeof(why));
	if (!ret) {
		fprintf(stderr, "cluster: %s\n", why);
		abort();
	}
	return ret;
}

static json_t *headers_of(const rd_kafka_message_t *message)
{
	json_t *ret = json_object();
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t len;
	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return ret;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) ==
			   RD_KAFKA_RESP_ERR_NO_ERROR;
		i++)
		(void)json_object_set_new(ret, name, json_stringn(value, len));
	return ret;
}

static void show(const rd_kafka_message_t *message)
{
	if (message->err)
		return;
	json_t *line = json_pack("{s:i, s:I, s:o, s:o, s:o}", "partition", message->partition,
		"offset", (json_int_t)message->offset, "key",
		json_stringn(message->key, message->key_len), "value",
		json_stringn(message->payload, message->len), "headers", headers_of(message));
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(line);
}

static void push_errors(rd_kafka_mock_cluster_t *cluster, rd_kafka_resp_err_t err, size_t count)
{
	rd_kafka_resp_err_t errors[ERRORS_MAX];
	for (size_t i = 0; i < ERRORS_MAX; i++)
		errors[i] = err;
	rd_kafka_mock_push_request_errors_array(
		cluster, PRODUCE, count < ERRORS_MAX ? count : ERRORS_MAX, errors);
}

static void obey(rd_kafka_mock_cluster_t *cluster, const char *command)
{
	bool down = strcmp(command, "down\n") == 0;
	size_t count = strlen(command) > 5 ? strtoul(command + 5, NULL, 10) : 0;
	for (int32_t id = 1; cluster && id <= BROKERS && (down || strcmp(command, "up\n") == 0);
		id++)
		(void)(down ? rd_kafka_mock_broker_set_down(cluster, id)
			    : rd_kafka_mock_broker_set_up(cluster, id));
	if (cluster && strncmp(command, "fail ", 5) == 0)
		push_errors(cluster, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, count);
	if (cluster && strncmp(command, "lose ", 5) == 0)
		push_errors(cluster, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, count);
	printf("done %s", command);
	(void)fflush(stdout);
}

static void run(rd_kafka_mock_cluster_t *cluster, rd_kafka_t *consumer)
{
	char command[COMMAND_BYTES];
	struct pollfd input = {.fd = 0, .events = POLLIN};
	for (;;) {
		if (poll(&input, 1, 0) > 0) {
			if (!fgets(command, sizeof(command), stdin))
				return;
			obey(cluster, command);
		}
		rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 50);
		if (message) {
			show(message);
			rd_kafka_message_destroy(message);
		}
	}
}

/* Shows what comes to the topic, until the input ends. */
static bool follow(rd_kafka_mock_cluster_t *cluster, const char *topic, const char *bootstrap)
{
	const char *const settings[][2] = {{"bootstrap.servers", bootstrap}, {"group.id", "tests"},
		{"auto.offset.reset", "earliest"}, {"log_level", "0"},
		{"reconnect.backoff.max.ms", "500"}, {NULL, NULL}};
	rd_kafka_t *consumer = make(RD_KAFKA_CONSUMER, settings);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	for (int32_t i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	bool ok = rd_kafka_poll_set_consumer(consumer) == RD_KAFKA_RESP_ERR_NO_ERROR &&
		  rd_kafka_assign(consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR;
	if (ok) {
		printf("bootstrap %s\n", bootstrap);
		(void)fflush(stdout);
		run(cluster, consumer);
	}
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(consumer);
	return ok;
}

static bool begin(const char *topic)
{
	static const char *const quiet[][2] = {{"log_level", "0"}, {NULL, NULL}};
	rd_kafka_t *owner = make(RD_KAFKA_PRODUCER, quiet);
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(owner, BROKERS);
	bool ok = rd_kafka_mock_topic_create(cluster, topic, PARTITIONS, BROKERS) ==
			  RD_KAFKA_RESP_ERR_NO_ERROR &&
		  follow(cluster, topic, rd_kafka_mock_cluster_bootstraps(cluster));
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
	return ok;
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		return 2;
	/* One command at a time is read from the descriptor. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	return !(argc == 2 ? begin(argv[1]) : follow(NULL, argv[1], argv[2]));
}
