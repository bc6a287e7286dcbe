// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

/** An Android application that asks the application server for a form, and posts it to the store. */
public class FormTest {
	static final String APP = System.getenv("APP");
	static final String STORE = System.getenv("STORE");
	static final String KEY_ID = System.getenv("KEY_ID");
	static final String KEY_SECRET = System.getenv("KEY_SECRET");
	static final MediaType JPEG = MediaType.get("image/jpeg");

	@Rule
	public Timeout limit = Timeout.seconds(120);
	@Rule
	public TemporaryFolder folder = new TemporaryFolder();
	private final OkHttpClient http = new OkHttpClient();

	/** What a form has besides the file. */
	private Map<String, String> fields(String name) throws IOException {
		JsonObject grant;
		try (Response answer = http.newCall(new Request.Builder().url(APP + "/grant").build()).execute()) {
			assertEquals(200, answer.code());
			grant = JsonParser.parseString(answer.body().string()).getAsJsonObject();
		}
		assertEquals(STORE + "/uploads", grant.get("url").getAsString());
		Map<String, String> fields = new LinkedHashMap<>();
		fields.put("key", grant.get("dir").getAsString() + name);
		grant.getAsJsonObject("fields").entrySet().forEach(each -> fields.put(each.getKey(), each.getValue().getAsString()));
		return fields;
	}

	private static MultipartBody form(Iterable<Map.Entry<String, String>> fields, String name, RequestBody file) {
		MultipartBody.Builder builder = new MultipartBody.Builder().setType(MultipartBody.FORM);
		fields.forEach(each -> builder.addFormDataPart(each.getKey(), each.getValue()));
		return builder.addFormDataPart("file", name, file).build();
	}

	private Response post(RequestBody body) throws IOException {
		return http.newCall(new Request.Builder().url(STORE + "/uploads").post(body).build()).execute();
	}

	private static void confirmed(Response answer) throws IOException {
		String text = answer.body().string();
		assertEquals(text, 200, answer.code());
		assertEquals("{\"Status\":\"OK\"}", text);
	}

	private byte[] get(String key) throws Exception {
		String date = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
				.format(ZonedDateTime.now(ZoneOffset.UTC));
		Mac mac = Mac.getInstance("HmacSHA1");
		mac.init(new SecretKeySpec(KEY_SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA1"));
		String text = "GET\n\n\n" + date + "\n/uploads/" + key;
		String signature = Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
		// OSS takes a plus in a path for a space.
		String path = URLEncoder.encode(key, StandardCharsets.UTF_8).replace("+", "%20").replace("%2F", "/");
		Request request = new Request.Builder().url(STORE + "/uploads/" + path).header("Date", date)
				.header("Authorization", "OSS " + KEY_ID + ":" + signature).build();
		try (Response answer = http.newCall(request).execute()) {
			byte[] content = answer.body().bytes();
			assertEquals(key + ": " + new String(content, StandardCharsets.UTF_8), 200, answer.code());
			return content;
		}
	}

	private static byte[] bytes(int size) {
		byte[] made = new byte[size];
		new Random(size).nextBytes(made);
		return made;
	}

	@Test
	public void aFileFromTheDisk() throws Exception {
		byte[] content = bytes(3_000_000);
		File file = folder.newFile("photo.jpg");
		Files.write(file.toPath(), content);
		Map<String, String> fields = fields("photo.jpg");
		try (Response answer = post(form(fields.entrySet(), file.getName(), RequestBody.create(file, JPEG)))) {
			confirmed(answer);
		}
		assertArrayEquals(content, get(fields.get("key")));
	}

	@Test
	public void anEmptyFile() throws Exception {
		Map<String, String> fields = fields("empty");
		try (Response answer = post(form(fields.entrySet(), "empty", RequestBody.create(new byte[0], null)))) {
			confirmed(answer);
		}
		assertEquals(0, get(fields.get("key")).length);
	}

	@Test
	public void namesTakeThePlaceOfFilename() throws Exception {
		for (String name : new String[] {"plain.jpg", "a b+c&d=e.jpg", "中文 é.jpg", "100%.jpg", "it's.jpg"}) {
			byte[] content = bytes(1000 + name.length());
			Map<String, String> fields = fields("named/${filename}");
			try (Response answer = post(form(fields.entrySet(), name, RequestBody.create(content, JPEG)))) {
				confirmed(answer);
			}
			assertArrayEquals(name, content, get(fields.get("key").replace("${filename}", name)));
		}
	}

	@Test
	public void everyOrderOfFieldsWithTheFileLast() throws Exception {
		Random random = new Random(13);
		for (int i = 0; i < 50; i++) {
			Map<String, String> fields = fields("order-" + i);
			List<Map.Entry<String, String>> order = new ArrayList<>(fields.entrySet());
			Collections.shuffle(order, random);
			byte[] content = bytes(100 + i);
			try (Response answer = post(form(order, "x", RequestBody.create(content, JPEG)))) {
				confirmed(answer);
			}
			assertArrayEquals(order.toString(), content, get(fields.get("key")));
		}
	}

	@Test
	public void aFileThatIsNotLastHidesTheFieldsBehindIt() throws Exception {
		MultipartBody.Builder builder = new MultipartBody.Builder().setType(MultipartBody.FORM)
				.addFormDataPart("file", "early", RequestBody.create(bytes(10), JPEG));
		fields("early").forEach(builder::addFormDataPart);
		try (Response answer = post(builder.build())) {
			String text = answer.body().string();
			assertEquals(text, 400, answer.code());
			assertTrue(text, text.contains("<Code>InvalidArgument</Code>") && text.contains("key"));
		}
	}

	@Test
	public void aStreamWhoseLengthNobodyKnows() throws Exception {
		byte[] content = bytes(300_000);
		RequestBody stream = new RequestBody() {
			@Override
			public MediaType contentType() {
				return JPEG;
			}

			@Override
			public void writeTo(BufferedSink sink) throws IOException {
				sink.write(content);
			}
		};
		Map<String, String> fields = fields("stream.jpg");
		try (Response answer = post(form(fields.entrySet(), "stream.jpg", stream))) {
			confirmed(answer);
		}
		assertArrayEquals(content, get(fields.get("key")));
	}
}
