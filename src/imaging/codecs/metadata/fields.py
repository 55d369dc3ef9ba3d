"""The fields that `metadata=keep` keeps: who made an image, what it shows, and how it was taken.

Every other field is left out: previews, positions, notes of makers, histories of programs, and what is unknown.
Where it was taken is a position, from coordinates to the name of the country.
"""

from __future__ import annotations

# EXIF 3.0 (CIPA DC-008), and what DNG writes beside it. A TIFF may have details in its first directory.
EXIF_TAGS = frozenset(
    {
        0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C,  # description, camera, dates
        0x4746, 0x4749, 0x8298,  # ratings, copyright
        0x829A, 0x829D, 0x8822, 0x8824, 0x8827, *range(0x8830, 0x8836),  # exposure, sensitivity
        0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9101, 0x9102,  # version, dates
        *range(0x9201, 0x920B), 0x9214, 0x9286, 0x9290, 0x9291, 0x9292,  # lens, flash, comment
        0xA000, 0xA001, 0xA002, 0xA003, 0xA20B, 0xA20E, 0xA20F, 0xA210, 0xA214, 0xA215, 0xA217,  # sensor
        0xA300, 0xA301, *range(0xA401, 0xA40B), 0xA40C, 0xA420, *range(0xA430, 0xA43D), 0xA460, 0xA461, 0xA500,
        0xC614,  # the camera's full name
    }
)  # fmt: skip
EXIF_GPS_TAGS = frozenset(range(0x20))

# IPTC-IIM 4.2, by record and number.
IPTC_DATASETS = frozenset(
    {(1, 90)}
    | {(2, number) for number in (
        0, 3, 4, 5, 7, 10, 12, 15, 20, 22, 25, 30, 35, 37, 38, 40, 55, 60, 62, 63, 65, 70, 75, 80, 85, 103, 105,
        110, 115, 116, 118, 120, 122, 130, 131, 135,
    )}
)  # fmt: skip
IPTC_POSITIONS = frozenset({(2, 26), (2, 27), (2, 90), (2, 92), (2, 95), (2, 100), (2, 101)})
"""Content location and its code; city, sublocation, state, and the code and the name of the country."""

RDF, XMP_META = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "adobe:ns:meta/"
XML = "http://www.w3.org/XML/1998/namespace"
DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
RIGHTS, IPTC_EXT = "http://ns.adobe.com/xap/1.0/rights/", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_XMP_NAMES = {
    RDF: "RDF Description Seq Bag Alt li value about resource parseType datatype",
    XMP_META: "xmpmeta",
    XML: "lang",
    "": "about",
    DC: """
        contributor creator date description format identifier language publisher relation rights source subject
        title type
    """,
    RIGHTS: "Certificate Marked Owner UsageTerms WebStatement",
    PHOTOSHOP: """
        AuthorsPosition CaptionWriter Category Credit DateCreated Headline Instructions Source
        SupplementalCategories TransmissionReference Urgency
    """,
    IPTC_EXT: """
        AddlModelInfo AIPromptInformation AIPromptWriterName AISystemUsed AISystemVersionUsed AOCopyrightNotice
        AOCreator AOCreatorId AODateCreated AOSource AOSourceInvNo AOSourceInvURL AOTitle ArtworkOrObject
        Contributor DigitalSourceType DigitalSourcefileType Event EventId Genre
        IptcLastEdited MaxAvailHeight MaxAvailWidth ModelAge
        OrganisationInImageCode OrganisationInImageName PersonInImage RegItemId RegOrgId
        RegistryId
    """,
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": """
        AltTextAccessibility CiAdrCity CiAdrCtry CiAdrExtadr CiAdrPcode CiAdrRegion CiEmailWork CiTelWork
        CiUrlWork CreatorContactInfo ExtDescrAccessibility IntellectualGenre Scene SubjectCode
    """,
    "http://ns.useplus.org/ldf/xmp/1.0/": """
        AdultContentWarning CopyrightOwner CopyrightOwnerID CopyrightOwnerImageID CopyrightOwnerName
        CopyrightRegistrationNumber CopyrightStatus CreditLineRequired DataMining FirstPublicationDate
        ImageCreator ImageCreatorID ImageCreatorImageID ImageCreatorName ImageSupplier ImageSupplierID
        ImageSupplierImageID ImageSupplierName LicenseEndDate LicenseID LicenseStartDate LicenseTransactionDate
        Licensee LicenseeID LicenseeName Licensor LicensorCity LicensorCountry LicensorEmail
        LicensorExtendedAddress LicensorID LicensorImageID LicensorName LicensorPostalCode LicensorRegion
        LicensorStreetAddress LicensorTelephone1 LicensorTelephone2 LicensorTelephoneType1
        LicensorTelephoneType2 LicensorURL MediaConstraints MediaSummaryCode MinorModelAgeDisclosure
        ModelReleaseID ModelReleaseStatus OtherConditions OtherConstraints OtherLicenseInfo PropertyReleaseID
        PropertyReleaseStatus RegionConstraints Reuse TermsAndConditionsText TermsAndConditionsURL Version
    """,
    "http://creativecommons.org/ns#": """
        attributionName attributionURL legalcode license morePermissions permits prohibits requires
        useGuidelines
    """,
    "http://ns.adobe.com/xap/1.0/": """
        BaseURL CreateDate CreatorTool Identifier Label MetadataDate ModifyDate Nickname Rating
    """,
    "http://ns.adobe.com/xap/1.0/mm/": "DocumentID InstanceID OriginalDocumentID RenditionClass VersionID",
    "http://ns.adobe.com/tiff/1.0/": """
        Artist Copyright DateTime ImageDescription Make Model ResolutionUnit Software XResolution YResolution
    """,
    "http://ns.adobe.com/exif/1.0/": """
        ApertureValue BrightnessValue ColorSpace CompressedBitsPerPixel Contrast CustomRendered
        DateTimeDigitized DateTimeOriginal DigitalZoomRatio ExifVersion ExposureBiasValue ExposureIndex
        ExposureMode ExposureProgram ExposureTime FNumber FileSource Fired Flash FlashEnergy FlashpixVersion
        FocalLength FocalLengthIn35mmFilm FocalPlaneResolutionUnit FocalPlaneXResolution FocalPlaneYResolution
        Function GainControl ISOSpeedRatings ImageUniqueID LightSource MaxApertureValue MeteringMode Mode
        RedEyeMode Return Saturation SceneCaptureType SceneType SensingMethod Sharpness ShutterSpeedValue
        SpectralSensitivity SubjectArea SubjectDistance SubjectDistanceRange SubjectLocation UserComment
        WhiteBalance
    """,
    "http://cipa.jp/exif/1.0/": """
        BodySerialNumber CameraOwnerName Gamma ISOSpeed ISOSpeedLatitudeyyy ISOSpeedLatitudezzz LensMake
        LensModel LensSerialNumber LensSpecification PhotographicSensitivity RecommendedExposureIndex
        SensitivityType StandardOutputSensitivity
    """,
    "http://ns.adobe.com/exif/1.0/aux/": """
        ApproximateFocusDistance Firmware FlashCompensation ImageNumber Lens LensID LensInfo LensSerialNumber
        OwnerName SerialNumber
    """,
    "http://ns.adobe.com/lightroom/1.0/": "hierarchicalSubject",
    "http://ns.google.com/photos/1.0/panorama/": """
        CaptureSoftware CroppedAreaImageHeightPixels CroppedAreaImageWidthPixels CroppedAreaLeftPixels
        CroppedAreaTopPixels FullPanoHeightPixels FullPanoWidthPixels InitialHorizontalFOVDegrees
        InitialViewHeadingDegrees InitialViewPitchDegrees InitialViewRollDegrees PoseHeadingDegrees
        PosePitchDegrees PoseRollDegrees ProjectionType StitchingSoftware UsePanoramaViewer
    """,
}
XMP_NAMES = {namespace: frozenset(names.split()) for namespace, names in _XMP_NAMES.items()}
"""The properties, the fields of their structures, and RDF's own words, by namespace (ISO 16684, IPTC 2024.1, PLUS)."""
XMP_CREDITS = {
    **{namespace: XMP_NAMES[namespace] for namespace in (RDF, XMP_META, XML, "", RIGHTS)},
    DC: frozenset({"creator", "rights"}),
    PHOTOSHOP: frozenset({"Credit"}),
    IPTC_EXT: frozenset({"DigitalSourceType"}),
}
"""Who made the picture and who owns it; and whether a machine did, which law asks for."""
_POSITIONS = frozenset(
    {"lat", "long", "lon", "alt", "latitude", "longitude", "longtitude", "altitude", "absolutealtitude",
     "relativealtitude", "location", "sublocation", "locationname", "locationid", "locationcreated", "locationshown",
     "city", "state", "provincestate", "country", "countrycode", "countryname", "worldregion"}
)  # fmt: skip


def is_position(name: str) -> bool:
    """Return whether an XMP property is a position, in any namespace: cameras and drones have their own."""
    return "gps" in name.lower() or name.lower() in _POSITIONS
