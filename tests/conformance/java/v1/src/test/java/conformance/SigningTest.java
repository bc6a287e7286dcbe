// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertEquals;

import com.aliyun.oss.HttpMethod;
import com.aliyun.oss.OSS;
import com.aliyun.oss.common.auth.DefaultCredentialProvider;
import com.aliyun.oss.common.comm.SignVersion;
import com.aliyun.oss.model.Callback;
import com.aliyun.oss.model.CompleteMultipartUploadRequest;
import com.aliyun.oss.model.GeneratePresignedUrlRequest;
import com.aliyun.oss.model.InitiateMultipartUploadRequest;
import com.aliyun.oss.model.MatchMode;
import com.aliyun.oss.model.PolicyConditions;
import com.aliyun.oss.model.PutObjectRequest;
import com.aliyun.oss.model.ResponseHeaderOverrides;
import com.aliyuncs.CommonRequest;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

public class SigningTest extends Case {
	private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private static Date soon() {
		return Date.from(Instant.now().plusSeconds(300));
	}

	private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
		return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
	}

	@Test
	public void presigned() throws Exception {
		for (String name : NAMES) {
			GeneratePresignedUrlRequest put = new GeneratePresignedUrlRequest(bucket, name, HttpMethod.PUT);
			put.setExpiration(soon());
			put.setContentType("text/x-signed");
			put.addUserMetadata("a", "1");
			URL url = oss.generatePresignedUrl(put);
			assertEquals(200, send(HttpRequest.newBuilder(url.toURI()).header("Content-Type", "text/x-signed")
					.header("x-oss-meta-a", "1").PUT(HttpRequest.BodyPublishers.ofString("by URL"))).statusCode());
			assertEquals(403, send(HttpRequest.newBuilder(url.toURI()).GET()).statusCode());
			GeneratePresignedUrlRequest get = new GeneratePresignedUrlRequest(bucket, name, HttpMethod.GET);
			get.setExpiration(soon());
			ResponseHeaderOverrides overrides = new ResponseHeaderOverrides();
			overrides.setContentDisposition("attachment; filename=\"a b.txt\"");
			get.setResponseHeaders(overrides);
			HttpResponse<String> got = send(HttpRequest.newBuilder(oss.generatePresignedUrl(get).toURI()));
			assertEquals("by URL", got.body());
			assertEquals("attachment; filename=\"a b.txt\"", got.headers().firstValue("Content-Disposition").orElse(""));
		}
		URL late = oss.generatePresignedUrl(bucket, "plain", Date.from(Instant.now().minusSeconds(60)));
		// In V4 that is a time of less than nothing.
		assertEquals(version == SignVersion.V4 ? 400 : 403, send(HttpRequest.newBuilder(late.toURI())).statusCode());
	}

	/** STS's AssumeRole, by the client that comes with the SDK. */
	private Map<String, String> assumeRole(String policy) throws Exception {
		DefaultProfile profile = DefaultProfile.getProfile("cn-hangzhou", KEY_ID, KEY_SECRET);
		CommonRequest request = new CommonRequest();
		request.setSysDomain(OPERATIONS.replace("http://", ""));
		request.setSysProtocol(ProtocolType.HTTP);
		request.setSysMethod(MethodType.POST);
		request.setSysVersion("2015-04-01");
		request.setSysAction("AssumeRole");
		request.putQueryParameter("RoleArn", "acs:ram::1234567890123456:role/java");
		request.putQueryParameter("RoleSessionName", "java");
		if (policy != null)
			request.putQueryParameter("Policy", policy);
		String text = new DefaultAcsClient(profile).getCommonResponse(request).getData();
		Map<String, String> told = new LinkedHashMap<>();
		Matcher matcher = Pattern.compile("\"(AccessKeyId|AccessKeySecret|SecurityToken)\":\"([^\"]*)\"").matcher(text);
		while (matcher.find())
			told.put(matcher.group(1), matcher.group(2));
		return told;
	}

	@Test
	public void temporaryKeys() throws Exception {
		Map<String, String> key = assumeRole("{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"oss:*\","
				+ "\"Resource\":\"acs:oss:*:*:" + bucket + "/mine/*\"}]}");
		OSS temporary = client(new DefaultCredentialProvider(key.get("AccessKeyId"), key.get("AccessKeySecret"),
				key.get("SecurityToken")));
		temporary.putObject(bucket, "mine/中 文", stream("temporary"));
		assertEquals("temporary", text("mine/中 文"));
		refused("AccessDenied", () -> temporary.putObject(bucket, "yours", stream("x")));
		URL url = temporary.generatePresignedUrl(bucket, "mine/中 文", soon());
		assertEquals("temporary", send(HttpRequest.newBuilder(url.toURI())).body());
		temporary.shutdown();
	}


	@Test
	public void postPolicy() throws Exception {
		PolicyConditions conditions = new PolicyConditions();
		conditions.addConditionItem("bucket", bucket);
		conditions.addConditionItem(MatchMode.StartWith, PolicyConditions.COND_KEY, "form/");
		conditions.addConditionItem(PolicyConditions.COND_CONTENT_LENGTH_RANGE, 0, 100);
		Map<String, String> fields = new LinkedHashMap<>();
		fields.put("key", "form/中 文");
		Date now = new Date();
		DateTimeFormatter day = DateTimeFormatter.ofPattern("yyyyMMdd").withZone(ZoneOffset.UTC);
		if (version == SignVersion.V4) {
			String credential = KEY_ID + "/" + day.format(now.toInstant()) + "/cn-hangzhou/oss/aliyun_v4_request";
			String date = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).format(now.toInstant());
			for (String[] pair : new String[][] {{"x-oss-signature-version", "OSS4-HMAC-SHA256"},
					{"x-oss-credential", credential}, {"x-oss-date", date}}) {
				conditions.addConditionItem(pair[0], pair[1]);
				fields.put(pair[0], pair[1]);
			}
		} else {
			fields.put("OSSAccessKeyId", KEY_ID);
		}
		String policy = oss.generatePostPolicy(soon(), conditions);
		String encoded = Base64.getEncoder().encodeToString(policy.getBytes(StandardCharsets.UTF_8));
		fields.put("policy", encoded);
		if (version == SignVersion.V4)
			fields.put("x-oss-signature", oss.calculatePostSignature(policy, now));
		else
			fields.put("Signature", oss.calculatePostSignature(policy));
		assertEquals(204, post(fields, "a form's file").statusCode());
		assertEquals("a form's file", text("form/中 文"));
		assertEquals(400, post(fields, "x".repeat(101)).statusCode());
		fields.put("key", "elsewhere");
		assertEquals(403, post(fields, "x").statusCode());
	}

	private HttpResponse<String> post(Map<String, String> fields, String content) throws Exception {
		StringBuilder body = new StringBuilder();
		fields.forEach((name, value) -> body.append("--border\r\nContent-Disposition: form-data; name=\"").append(name)
				.append("\"\r\n\r\n").append(value).append("\r\n"));
		body.append("--border\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n").append(content)
				.append("\r\n--border--\r\n");
		return send(HttpRequest.newBuilder(URI.create(STORE + "/" + bucket))
				.header("Content-Type", "multipart/form-data; boundary=border")
				.POST(HttpRequest.BodyPublishers.ofString(body.toString())));
	}

	@Test
	public void callbacks() throws Exception {
		BlockingQueue<String> received = new ArrayBlockingQueue<>(8);
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
		server.createContext("/", exchange -> {
			received.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
			byte[] answer = "{\"seen\":true}".getBytes(StandardCharsets.UTF_8);
			exchange.getResponseHeaders().set("Content-Type", "application/json");
			exchange.sendResponseHeaders(200, answer.length);
			exchange.getResponseBody().write(answer);
			exchange.close();
		});
		server.start();
		try {
			Callback callback = new Callback();
			callback.setCallbackUrl("http://127.0.0.1:" + server.getAddress().getPort() + "/callback");
			// The SDK writes JSON without escaping what it is given.
			callback.setCallbackBody("{\\\"object\\\":${object},\\\"size\\\":${size},\\\"who\\\":${x:who}}");
			callback.setCalbackBodyType(Callback.CalbackBodyType.JSON);
			callback.addCallbackVar("x:who", "java");
			PutObjectRequest put = new PutObjectRequest(bucket, "called", stream("12345"));
			put.setCallback(callback);
			assertEquals("{\"seen\":true}",
					new String(oss.putObject(put).getResponse().getContent().readAllBytes(), StandardCharsets.UTF_8));
			assertEquals("{\"object\":\"called\",\"size\":5,\"who\":\"java\"}", received.poll(30, java.util.concurrent.TimeUnit.SECONDS));
			String id = oss.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, "parts")).getUploadId();
			CompleteMultipartUploadRequest complete = new CompleteMultipartUploadRequest(bucket, "parts", id, new ArrayList<>());
			complete.setCallback(callback);
			oss.completeMultipartUpload(complete).getResponse().close();
			assertEquals("{\"object\":\"parts\",\"size\":0,\"who\":\"java\"}", received.poll(30, java.util.concurrent.TimeUnit.SECONDS));
		} finally {
			server.stop(0);
		}
	}
}
