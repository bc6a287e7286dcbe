// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import com.aliyun.oss.model.BucketReferer;
import com.aliyun.oss.model.BucketVersioningConfiguration;
import com.aliyun.oss.model.CannedAccessControlList;
import com.aliyun.oss.model.LifecycleRule;
import com.aliyun.oss.model.LifecycleRule.RuleStatus;
import com.aliyun.oss.model.ListObjectsRequest;
import com.aliyun.oss.model.ListObjectsV2Request;
import com.aliyun.oss.model.ListObjectsV2Result;
import com.aliyun.oss.model.ListVersionsRequest;
import com.aliyun.oss.model.OSSObject;
import com.aliyun.oss.model.OSSObjectSummary;
import com.aliyun.oss.model.OSSVersionSummary;
import com.aliyun.oss.model.ObjectListing;
import com.aliyun.oss.model.GetObjectRequest;
import com.aliyun.oss.model.SetBucketCORSRequest;
import com.aliyun.oss.model.SetBucketLifecycleRequest;
import com.aliyun.oss.model.SetBucketVersioningRequest;
import com.aliyun.oss.model.VersionListing;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.Test;

public class BucketsTest extends Case {
	private static List<String> keys(List<OSSObjectSummary> summaries) {
		return summaries.stream().map(OSSObjectSummary::getKey).collect(Collectors.toList());
	}

	@Test
	public void bucket() {
		assertTrue(oss.doesBucketExist(bucket));
		assertFalse(oss.doesBucketExist("java-never-made"));
		assertEquals(bucket, oss.getBucketInfo(bucket).getBucket().getName());
		assertEquals("oss-cn-hangzhou", oss.getBucketLocation(bucket));
		assertTrue(oss.listBuckets().stream().anyMatch(b -> b.getName().equals(bucket)));
		put("x", "12345");
		assertEquals(Long.valueOf(5), oss.getBucketStat(bucket).getStorageSize());
		refused("BucketNotEmpty", () -> oss.deleteBucket(bucket));
		oss.deleteObject(bucket, "x");
		oss.deleteBucket(bucket);
		refused("NoSuchBucket", () -> oss.getBucketInfo(bucket));
	}

	@Test
	public void acls() {
		assertEquals(CannedAccessControlList.Private, oss.getBucketAcl(bucket).getCannedACL());
		oss.setBucketAcl(bucket, CannedAccessControlList.PublicReadWrite);
		assertEquals(CannedAccessControlList.PublicReadWrite, oss.getBucketAcl(bucket).getCannedACL());
	}

	@Test
	public void lists() {
		List<String> all = new ArrayList<>();
		// The SDK reads control characters only encoded, here and at OSS.
		for (String key : List.of("a/1", "a/2", "b/中", "c", "d\u0001e", "f &+%"))
			if (all.add(key))
				put(key, "x");
		List<String> told = new ArrayList<>();
		ListObjectsRequest request = new ListObjectsRequest(bucket).withMaxKeys(2).withEncodingType("url");
		ObjectListing page;
		do {
			page = oss.listObjects(request);
			told.addAll(decoded(keys(page.getObjectSummaries())));
			request.setMarker(page.getNextMarker() == null ? null : decoded(List.of(page.getNextMarker())).get(0));
		} while (page.isTruncated());
		assertEquals(all, told);
		ObjectListing folded = oss.listObjects(new ListObjectsRequest(bucket).withDelimiter("/").withEncodingType("url"));
		assertEquals(List.of("a/", "b/"), decoded(folded.getCommonPrefixes()));
		assertEquals(List.of("c", "d\u0001e", "f &+%"), decoded(keys(folded.getObjectSummaries())));
		told.clear();
		ListObjectsV2Request second = new ListObjectsV2Request(bucket).withMaxKeys(4).withEncodingType("url");
		ListObjectsV2Result got;
		do {
			got = oss.listObjectsV2(second);
			told.addAll(decoded(keys(got.getObjectSummaries())));
			second.setContinuationToken(got.getNextContinuationToken());
		} while (got.isTruncated());
		assertEquals(all, told);
		assertEquals(List.of("a/1", "a/2"), keys(oss.listObjectsV2(bucket, "a/").getObjectSummaries()));
		assertEquals(List.of("f &+%"), keys(oss.listObjectsV2(new ListObjectsV2Request(bucket).withStartAfter("e"))
				.getObjectSummaries()));
	}

	@Test
	public void versions() throws Exception {
		oss.setBucketVersioning(new SetBucketVersioningRequest(bucket,
				new BucketVersioningConfiguration().withStatus(BucketVersioningConfiguration.ENABLED)));
		assertEquals("Enabled", oss.getBucketVersioning(bucket).getStatus());
		String first = oss.putObject(bucket, "key", stream("first")).getVersionId();
		put("key", "second");
		oss.deleteObject(bucket, "key");
		refused("NoSuchKey", () -> oss.getObject(bucket, "key"));
		try (OSSObject object = oss.getObject(new GetObjectRequest(bucket, "key", first))) {
			assertEquals("first", new String(object.getObjectContent().readAllBytes()));
		}
		List<OSSVersionSummary> told = new ArrayList<>();
		ListVersionsRequest request = new ListVersionsRequest().withBucketName(bucket).withMaxResults(2);
		VersionListing page;
		do {
			page = oss.listVersions(request);
			told.addAll(page.getVersionSummaries());
			request.setKeyMarker(page.getNextKeyMarker());
			request.setVersionIdMarker(page.getNextVersionIdMarker());
		} while (page.isTruncated());
		assertEquals(3, told.size());
		assertEquals(1, told.stream().filter(OSSVersionSummary::isDeleteMarker).count());
		for (OSSVersionSummary version : told)
			oss.deleteVersion(bucket, "key", version.getVersionId());
		assertEquals(0, oss.listVersions(bucket, "").getVersionSummaries().size());
	}

	@Test
	public void lifecycle() {
		refused("NoSuchLifecycle", () -> oss.getBucketLifecycle(bucket));
		LifecycleRule logs = new LifecycleRule("logs", "logs/", RuleStatus.Enabled, 7);
		LifecycleRule parts = new LifecycleRule();
		parts.setId("parts");
		parts.setPrefix("中/");
		parts.setStatus(RuleStatus.Disabled);
		parts.setTags(Map.of("k", "v"));
		parts.setExpirationDays(9);
		SetBucketLifecycleRequest request = new SetBucketLifecycleRequest(bucket);
		request.AddLifecycleRule(logs);
		request.AddLifecycleRule(parts);
		LifecycleRule uploads = new LifecycleRule("uploads", "up/", RuleStatus.Enabled);
		uploads.setAbortMultipartUpload(new LifecycleRule.AbortMultipartUpload(3));
		request.AddLifecycleRule(uploads);
		oss.setBucketLifecycle(request);
		List<LifecycleRule> got = oss.getBucketLifecycle(bucket);
		assertEquals(3, got.size());
		assertEquals(3, got.get(2).getAbortMultipartUpload().getExpirationDays());
		assertEquals(7, got.get(0).getExpirationDays());
		assertEquals("中/", got.get(1).getPrefix());
		assertEquals(Map.of("k", "v"), got.get(1).getTags());
		oss.deleteBucketLifecycle(bucket);
		refused("NoSuchLifecycle", () -> oss.getBucketLifecycle(bucket));
	}

	@Test
	public void cors() {
		SetBucketCORSRequest.CORSRule rule = new SetBucketCORSRequest.CORSRule();
		rule.addAllowdOrigin("https://www.example.com");
		rule.setAllowedMethods(List.of("PUT", "GET"));
		rule.addAllowedHeader("x-oss-meta-a");
		rule.addExposeHeader("ETag");
		rule.setMaxAgeSeconds(60);
		SetBucketCORSRequest request = new SetBucketCORSRequest(bucket);
		request.addCorsRule(rule);
		oss.setBucketCORS(request);
		SetBucketCORSRequest.CORSRule got = oss.getBucketCORSRules(bucket).get(0);
		assertEquals(List.of("https://www.example.com"), got.getAllowedOrigins());
		assertEquals(List.of("PUT", "GET"), got.getAllowedMethods());
		assertEquals(List.of("x-oss-meta-a"), got.getAllowedHeaders());
		assertEquals(Integer.valueOf(60), got.getMaxAgeSeconds());
		oss.deleteBucketCORSRules(bucket);
		refused("NoSuchCORSConfiguration", () -> oss.getBucketCORSRules(bucket));
	}

	@Test
	public void referers() {
		BucketReferer referers = new BucketReferer(false, List.of("https://www.example.com", "http://*.example.org"));
		referers.setBlackRefererList(List.of("https://bad.example.org"));
		oss.setBucketReferer(bucket, referers);
		BucketReferer got = oss.getBucketReferer(bucket);
		assertFalse(got.isAllowEmptyReferer());
		assertEquals(referers.getRefererList(), got.getRefererList());
		assertEquals(referers.getBlackRefererList(), got.getBlackRefererList());
		oss.setBucketReferer(bucket, new BucketReferer(true, List.of()));
		assertTrue(oss.getBucketReferer(bucket).isAllowEmptyReferer());
	}

	@Test
	public void tags() {
		Map<String, String> tags = Map.of("team", "java", "颜色", "红");
		oss.setBucketTagging(bucket, tags);
		assertEquals(tags, oss.getBucketTagging(bucket).getAllTags());
		oss.deleteBucketTagging(bucket);
		assertEquals(Map.of(), oss.getBucketTagging(bucket).getAllTags());
	}
}
