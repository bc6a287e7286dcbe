// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import com.aliyun.sdk.service.oss2.OSSClient;
import com.aliyun.sdk.service.oss2.credentials.StaticCredentialsProvider;
import com.aliyun.sdk.service.oss2.exceptions.ServiceException;
import com.aliyun.sdk.service.oss2.models.*;
import com.aliyun.sdk.service.oss2.transport.BinaryData;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.Timeout;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** What alibabacloud-oss-v2 does, with signatures of V1 and of V4, each test with a bucket of its own. */
@RunWith(Parameterized.class)
public class SdkTest {
	private static final String[] NAMES = {"plain", "a b+c%2F&=", "中文/é", "(x)!*'~", "a//double", "tab\tand\nline"};
	private static final int PART = 100 << 10;
	private static final AtomicInteger count = new AtomicInteger();

	/** A test that waits for ever fails. */
	@Rule
	public Timeout limit = Timeout.seconds(300);

	@Parameters(name = "{0}")
	public static Object[] signatures() {
		return new Object[] {"v1", "v4"};
	}

	@Parameter
	public String version;
	private OSSClient oss;
	private String bucket;

	@Before
	public void open() {
		oss = OSSClient.newBuilder().region("cn-hangzhou").endpoint(System.getenv("STORE")).usePathStyle(true)
				.signatureVersion(version).retryMaxAttempts(1)
				.credentialsProvider(new StaticCredentialsProvider(System.getenv("KEY_ID"), System.getenv("KEY_SECRET")))
				.build();
		bucket = "java2-" + count.incrementAndGet();
		oss.putBucket(PutBucketRequest.newBuilder().bucket(bucket).build());
	}

	@After
	public void close() throws Exception {
		oss.close();
	}

	private static byte[] bytes(int size) {
		byte[] made = new byte[size];
		for (int i = 0; i < size; i++)
			made[i] = (byte) (i * 31 + (i >> 8));
		return made;
	}

	private PutObjectResult put(String key, byte[] content) {
		return oss.putObject(PutObjectRequest.newBuilder().bucket(bucket).key(key).body(BinaryData.fromBytes(content)).build());
	}

	private PutObjectResult put(String key, String text) {
		return put(key, text.getBytes(StandardCharsets.UTF_8));
	}

	private byte[] get(GetObjectRequest request) throws Exception {
		try (GetObjectResult got = oss.getObject(request)) {
			return got.body().readAllBytes();
		}
	}

	private byte[] get(String key) throws Exception {
		return get(GetObjectRequest.newBuilder().bucket(bucket).key(key).build());
	}

	private HeadObjectResult head(String key) {
		return oss.headObject(HeadObjectRequest.newBuilder().bucket(bucket).key(key).build());
	}

	private static void refused(String code, org.junit.function.ThrowingRunnable call) {
		ServiceException cause = ServiceException.asCause(assertThrows(Exception.class, call));
		assertEquals(code, cause.errorCode());
	}

	@Test
	public void putGetHead() throws Exception {
		for (String name : NAMES) {
			PutObjectResult put = oss.putObject(PutObjectRequest.newBuilder().bucket(bucket).key(name)
					.contentType("text/x-test").metadata(Map.of("a", "1")).body(BinaryData.fromString("in " + name)).build());
			assertEquals("in " + name, new String(get(name), StandardCharsets.UTF_8));
			HeadObjectResult told = head(name);
			assertEquals("text/x-test", told.contentType());
			assertEquals("1", told.metadata().get("a"));
			assertEquals(put.eTag(), told.eTag());
			assertTrue(oss.doesObjectExist(bucket, name));
			oss.deleteObject(DeleteObjectRequest.newBuilder().bucket(bucket).key(name).build());
			assertFalse(oss.doesObjectExist(bucket, name));
			refused("NoSuchKey", () -> get(name));
		}
		put("empty", "");
		assertEquals(0, get("empty").length);
	}

	@Test
	public void ranges() throws Exception {
		byte[] content = bytes(1000);
		put("ranged", content);
		assertArrayEquals(Arrays.copyOfRange(content, 10, 20),
				get(GetObjectRequest.newBuilder().bucket(bucket).key("ranged").range("bytes=10-19").build()));
		assertArrayEquals(Arrays.copyOfRange(content, 995, 1000),
				get(GetObjectRequest.newBuilder().bucket(bucket).key("ranged").range("bytes=-5").build()));
		refused("InvalidRange", () -> get(GetObjectRequest.newBuilder().bucket(bucket).key("ranged").range("bytes=1000-")
				.rangeBehavior("standard").build()));
	}

	@Test
	public void copies() throws Exception {
		put("中文 +%", "to copy");
		oss.copyObject(CopyObjectRequest.newBuilder().bucket(bucket).key("copy").sourceKey("中文 +%").build());
		assertEquals("to copy", new String(get("copy")));
		oss.copyObject(CopyObjectRequest.newBuilder().bucket(bucket).key("copy").sourceKey("copy").metadataDirective("REPLACE")
				.metadata(Map.of("b", "2")).build());
		assertEquals("2", head("copy").metadata().get("b"));
	}

	@Test
	public void appending() throws Exception {
		AppendObjectResult first = oss.appendObject(AppendObjectRequest.newBuilder().bucket(bucket).key("log").position(0L)
				.body(BinaryData.fromString("one ")).build());
		assertEquals(Long.valueOf(4), first.nextAppendPosition());
		oss.appendObject(AppendObjectRequest.newBuilder().bucket(bucket).key("log").position(4L)
				.body(BinaryData.fromString("two")).build());
		assertEquals("one two", new String(get("log")));
		refused("PositionNotEqualToLength", () -> oss.appendObject(AppendObjectRequest.newBuilder().bucket(bucket).key("log")
				.position(3L).body(BinaryData.fromString("x")).build()));
	}

	@Test
	public void symlinks() throws Exception {
		put("target", "behind the link");
		oss.putSymlink(PutSymlinkRequest.newBuilder().bucket(bucket).key("link").symlinkTarget("target").build());
		assertEquals("target", oss.getSymlink(GetSymlinkRequest.newBuilder().bucket(bucket).key("link").build()).symlinkTarget());
		assertEquals("behind the link", new String(get("link")));
	}

	@Test
	public void tags() {
		put("tagged", "x");
		Tagging tagging = Tagging.newBuilder().tagSet(TagSet.newBuilder()
				.tags(List.of(Tag.newBuilder().key("颜色").value("红").build())).build()).build();
		oss.putObjectTagging(PutObjectTaggingRequest.newBuilder().bucket(bucket).key("tagged").tagging(tagging).build());
		Tag told = oss.getObjectTagging(GetObjectTaggingRequest.newBuilder().bucket(bucket).key("tagged").build()).tagging()
				.tagSet().tags().get(0);
		assertEquals("颜色=红", told.key() + "=" + told.value());
	}

	@Test
	public void parts() throws Exception {
		byte[] content = bytes(PART + 77);
		String id = oss.initiateMultipartUpload(InitiateMultipartUploadRequest.newBuilder().bucket(bucket).key("中 parts")
				.build()).initiateMultipartUpload().uploadId();
		List<Part> parts = new ArrayList<>();
		for (int i = 0; i < 2; i++) {
			byte[] piece = Arrays.copyOfRange(content, i * PART, Math.min(content.length, (i + 1) * PART));
			String etag = oss.uploadPart(UploadPartRequest.newBuilder().bucket(bucket).key("中 parts").uploadId(id)
					.partNumber(i + 1L).body(BinaryData.fromBytes(piece)).build()).eTag();
			parts.add(Part.newBuilder().partNumber(i + 1L).eTag(etag).build());
		}
		oss.completeMultipartUpload(CompleteMultipartUploadRequest.newBuilder().bucket(bucket).key("中 parts").uploadId(id)
				.completeMultipartUpload(CompleteMultipartUpload.newBuilder().parts(parts).build()).build());
		assertArrayEquals(content, get("中 parts"));
	}

	@Test
	public void lists() {
		List<String> all = List.of("a/1", "a/2", "b/中", "c", "d\u0001e", "f &+%");
		for (String key : all)
			put(key, "x");
		List<String> told = new ArrayList<>();
		for (ListObjectsV2Result page : oss.listObjectsV2Paginator(ListObjectsV2Request.newBuilder().bucket(bucket).maxKeys(2L)
				.build()))
			for (ObjectSummary object : page.contents())
				told.add(object.key());
		assertEquals(all, told);
		ListObjectsV2Result folded = oss.listObjectsV2(ListObjectsV2Request.newBuilder().bucket(bucket).delimiter("/").build());
		assertEquals(List.of("a/", "b/"),
				folded.commonPrefixes().stream().map(CommonPrefix::prefix).collect(Collectors.toList()));
	}

	@Test
	public void deletesMany() {
		List<String> keys = List.of("plain", "中文", "a&<b>\"'", "control\u0001\u001f", "line\nend");
		for (String key : keys)
			put(key, "x");
		DeleteMultipleObjectsResult got = oss.deleteMultipleObjects(DeleteMultipleObjectsRequest.newBuilder().bucket(bucket)
				.encodingType("url").delete(Delete.newBuilder().objects(keys.stream()
						.map(key -> ObjectIdentifier.newBuilder().key(key).build()).collect(Collectors.toList())).build())
				.build());
		assertEquals(keys, got.deletedObjects().stream().map(DeletedInfo::key).collect(Collectors.toList()));
		for (String key : keys)
			assertFalse(oss.doesObjectExist(bucket, key));
	}

	@Test
	public void versions() throws Exception {
		oss.putBucketVersioning(PutBucketVersioningRequest.newBuilder().bucket(bucket)
				.versioningConfiguration(VersioningConfiguration.newBuilder().status("Enabled").build()).build());
		String first = put("key", "first").versionId();
		put("key", "second");
		oss.deleteObject(DeleteObjectRequest.newBuilder().bucket(bucket).key("key").build());
		refused("NoSuchKey", () -> get("key"));
		assertEquals("first", new String(get(GetObjectRequest.newBuilder().bucket(bucket).key("key").versionId(first).build())));
		ListObjectVersionsResult told = oss.listObjectVersions(ListObjectVersionsRequest.newBuilder().bucket(bucket).build());
		assertEquals(2, told.versions().size());
		assertEquals(1, told.deleteMarkers().size());
	}

	@Test
	public void settings() {
		assumeTrue("the SDK does not sign lifecycle, cors and referer by V1", version.equals("v4"));
		oss.putBucketLifecycle(PutBucketLifecycleRequest.newBuilder().bucket(bucket).lifecycleConfiguration(LifecycleConfiguration
				.newBuilder().rules(List.of(LifecycleRule.newBuilder().id("logs").prefix("logs/").status("Enabled")
						.expiration(LifecycleRuleExpiration.newBuilder().days(7).build()).build())).build()).build());
		assertEquals("logs/", oss.getBucketLifecycle(GetBucketLifecycleRequest.newBuilder().bucket(bucket).build())
				.lifecycleConfiguration().rules().get(0).prefix());
		oss.putBucketCors(PutBucketCorsRequest.newBuilder().bucket(bucket).corsConfiguration(CORSConfiguration.newBuilder()
				.corsRules(List.of(CORSRule.newBuilder().allowedOrigins(List.of("*")).allowedMethods(List.of("PUT", "GET"))
						.allowedHeaders(List.of("*")).exposeHeaders(List.of("ETag")).maxAgeSeconds(60L).build())).build()).build());
		assertEquals(List.of("PUT", "GET"), oss.getBucketCors(GetBucketCorsRequest.newBuilder().bucket(bucket).build())
				.corsConfiguration().corsRules().get(0).allowedMethods());
		oss.putBucketReferer(PutBucketRefererRequest.newBuilder().bucket(bucket).refererConfiguration(RefererConfiguration
				.newBuilder().allowEmptyReferer(false).refererList(RefererList.newBuilder()
						.referers(List.of("https://www.example.com")).build()).build()).build());
		assertEquals(List.of("https://www.example.com"), oss.getBucketReferer(GetBucketRefererRequest.newBuilder().bucket(bucket)
				.build()).refererConfiguration().refererList().referers());
		oss.putBucketAcl(PutBucketAclRequest.newBuilder().bucket(bucket).acl("public-read").build());
		assertTrue(oss.doesBucketExist(bucket));
	}
}
