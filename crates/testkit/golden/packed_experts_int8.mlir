module @packed_experts_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<3x66xbf16>, %arg4: tensor<4x1x33x64x2xi8>, %arg5: tensor<4x1x33x64x2xi8>, %arg6: tensor<4x2x10x64x2xi8>, %arg7: tensor<4x1x3x64xbf16>, %arg8: tensor<4x1x3x64xbf16>, %arg9: tensor<4x2x1x64xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.convert %arg4 : (tensor<4x1x33x64x2xi8>) -> tensor<4x1x33x64x2xf32>
    %1 = stablehlo.transpose %0, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xf32>) -> tensor<4x1x64x33x2xf32>
    %2 = stablehlo.reshape %1 : (tensor<4x1x64x33x2xf32>) -> tensor<4x1x64x66xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.pad %2, %3, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %5 = stablehlo.reshape %4 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %6 = stablehlo.convert %arg7 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %7 = stablehlo.transpose %6, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %9 = stablehlo.multiply %5, %8 : tensor<4x1x64x3x32xf32>
    %10 = stablehlo.reshape %9 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %11 = stablehlo.slice %10 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %12 = stablehlo.reshape %11 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %13 = stablehlo.slice %12 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %14 = stablehlo.convert %arg5 : (tensor<4x1x33x64x2xi8>) -> tensor<4x1x33x64x2xf32>
    %15 = stablehlo.transpose %14, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xf32>) -> tensor<4x1x64x33x2xf32>
    %16 = stablehlo.reshape %15 : (tensor<4x1x64x33x2xf32>) -> tensor<4x1x64x66xf32>
    %17 = stablehlo.constant dense<0.0> : tensor<f32>
    %18 = stablehlo.pad %16, %17, low = [0, 0, 0, 0], high = [0, 0, 0, 30], interior = [0, 0, 0, 0] : (tensor<4x1x64x66xf32>, tensor<f32>) -> tensor<4x1x64x96xf32>
    %19 = stablehlo.reshape %18 : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x3x32xf32>
    %20 = stablehlo.convert %arg8 : (tensor<4x1x3x64xbf16>) -> tensor<4x1x3x64xf32>
    %21 = stablehlo.transpose %20, dims = [0, 1, 3, 2] : (tensor<4x1x3x64xf32>) -> tensor<4x1x64x3xf32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [0, 1, 2, 3] : (tensor<4x1x64x3xf32>) -> tensor<4x1x64x3x32xf32>
    %23 = stablehlo.multiply %19, %22 : tensor<4x1x64x3x32xf32>
    %24 = stablehlo.reshape %23 : (tensor<4x1x64x3x32xf32>) -> tensor<4x1x64x96xf32>
    %25 = stablehlo.slice %24 [0:4, 0:1, 0:64, 0:66] : (tensor<4x1x64x96xf32>) -> tensor<4x1x64x66xf32>
    %26 = stablehlo.reshape %25 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %27 = stablehlo.slice %26 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %28 = stablehlo.convert %arg6 : (tensor<4x2x10x64x2xi8>) -> tensor<4x2x10x64x2xf32>
    %29 = stablehlo.transpose %28, dims = [0, 1, 3, 2, 4] : (tensor<4x2x10x64x2xf32>) -> tensor<4x2x64x10x2xf32>
    %30 = stablehlo.reshape %29 : (tensor<4x2x64x10x2xf32>) -> tensor<4x2x64x20xf32>
    %31 = stablehlo.constant dense<0.0> : tensor<f32>
    %32 = stablehlo.pad %30, %31, low = [0, 0, 0, 0], high = [0, 0, 0, 12], interior = [0, 0, 0, 0] : (tensor<4x2x64x20xf32>, tensor<f32>) -> tensor<4x2x64x32xf32>
    %33 = stablehlo.reshape %32 : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x1x32xf32>
    %34 = stablehlo.convert %arg9 : (tensor<4x2x1x64xbf16>) -> tensor<4x2x1x64xf32>
    %35 = stablehlo.transpose %34, dims = [0, 1, 3, 2] : (tensor<4x2x1x64xf32>) -> tensor<4x2x64x1xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1, 2, 3] : (tensor<4x2x64x1xf32>) -> tensor<4x2x64x1x32xf32>
    %37 = stablehlo.multiply %33, %36 : tensor<4x2x64x1x32xf32>
    %38 = stablehlo.reshape %37 : (tensor<4x2x64x1x32xf32>) -> tensor<4x2x64x32xf32>
    %39 = stablehlo.slice %38 [0:4, 0:2, 0:64, 0:20] : (tensor<4x2x64x32xf32>) -> tensor<4x2x64x20xf32>
    %40 = stablehlo.reshape %39 : (tensor<4x2x64x20xf32>) -> tensor<4x128x20xf32>
    %41 = stablehlo.slice %40 [0:4, 0:66, 0:20] : (tensor<4x128x20xf32>) -> tensor<4x66x20xf32>
    %42 = stablehlo.convert %arg0 : (tensor<3x66xbf16>) -> tensor<3x66xf32>
    %43 = stablehlo.broadcast_in_dim %42, dims = [0, 2] : (tensor<3x66xf32>) -> tensor<3x2x66xf32>
    %44 = stablehlo.reshape %43 : (tensor<3x2x66xf32>) -> tensor<6x66xf32>
    %45 = stablehlo.constant dense<0> : tensor<i32>
    %46 = stablehlo.broadcast_in_dim %45, dims = [] : (tensor<i32>) -> tensor<3x2xi32>
    %47 = stablehlo.maximum %arg2, %46 : tensor<3x2xi32>
    %48 = stablehlo.reshape %47 : (tensor<3x2xi32>) -> tensor<6xi32>
    %49 = stablehlo.compare GE, %arg2, %46, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
    %50 = stablehlo.constant dense<0.0> : tensor<f32>
    %51 = stablehlo.broadcast_in_dim %50, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %52 = stablehlo.select %49, %arg1, %51 : tensor<3x2xi1>, tensor<3x2xf32>
    %53 = stablehlo.constant dense<0> : tensor<i32>
    %54 = stablehlo.constant dense<1> : tensor<i32>
    %55 = stablehlo.constant dense<6> : tensor<i32>
    %56 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %57:2 = stablehlo.while(%58 = %53, %59 = %56) : tensor<i32>, tensor<6x20xf32>
    cond {
      %60 = stablehlo.compare LT, %58, %55, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %60 : tensor<i1>
    } do {
    %61 = stablehlo.constant dense<1> : tensor<i32>
    %62 = stablehlo.multiply %58, %61 : tensor<i32>
    %63 = stablehlo.constant dense<0> : tensor<i32>
    %64 = stablehlo.dynamic_slice %44, %62, %63, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %65 = stablehlo.dynamic_slice %48, %58, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %66 = stablehlo.reshape %65 : (tensor<1xi32>) -> tensor<i32>
    %67 = stablehlo.constant dense<3> : tensor<i32>
    %68 = stablehlo.minimum %66, %67 : tensor<i32>
    %69 = stablehlo.constant dense<0> : tensor<i32>
    %70 = stablehlo.dynamic_slice %13, %68, %69, %69, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %71 = stablehlo.reshape %70 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %72 = stablehlo.dot_general %64, %71, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %73 = stablehlo.constant dense<0> : tensor<i32>
    %74 = stablehlo.dynamic_update_slice %59, %72, %62, %73 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %75 = stablehlo.add %58, %54 : tensor<i32>
    stablehlo.return %75, %74 : tensor<i32>, tensor<6x20xf32>
    }
    %76 = stablehlo.convert %57#1 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %77 = stablehlo.constant dense<0> : tensor<i32>
    %78 = stablehlo.constant dense<1> : tensor<i32>
    %79 = stablehlo.constant dense<6> : tensor<i32>
    %80 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %81:2 = stablehlo.while(%82 = %77, %83 = %80) : tensor<i32>, tensor<6x20xf32>
    cond {
      %84 = stablehlo.compare LT, %82, %79, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %84 : tensor<i1>
    } do {
    %85 = stablehlo.constant dense<1> : tensor<i32>
    %86 = stablehlo.multiply %82, %85 : tensor<i32>
    %87 = stablehlo.constant dense<0> : tensor<i32>
    %88 = stablehlo.dynamic_slice %44, %86, %87, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %89 = stablehlo.dynamic_slice %48, %82, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %90 = stablehlo.reshape %89 : (tensor<1xi32>) -> tensor<i32>
    %91 = stablehlo.constant dense<3> : tensor<i32>
    %92 = stablehlo.minimum %90, %91 : tensor<i32>
    %93 = stablehlo.constant dense<0> : tensor<i32>
    %94 = stablehlo.dynamic_slice %27, %92, %93, %93, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %95 = stablehlo.reshape %94 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %96 = stablehlo.dot_general %88, %95, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %97 = stablehlo.constant dense<0> : tensor<i32>
    %98 = stablehlo.dynamic_update_slice %83, %96, %86, %97 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %99 = stablehlo.add %82, %78 : tensor<i32>
    stablehlo.return %99, %98 : tensor<i32>, tensor<6x20xf32>
    }
    %100 = stablehlo.convert %81#1 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %101 = stablehlo.reshape %52 : (tensor<3x2xf32>) -> tensor<6xf32>
    %102 = stablehlo.convert %76 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %103 = stablehlo.convert %100 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %104 = stablehlo.logistic %102 : tensor<6x20xf32>
    %105 = stablehlo.multiply %102, %104 : tensor<6x20xf32>
    %106 = stablehlo.multiply %105, %103 : tensor<6x20xf32>
    %107 = stablehlo.broadcast_in_dim %101, dims = [0] : (tensor<6xf32>) -> tensor<6x20xf32>
    %108 = stablehlo.multiply %106, %107 : tensor<6x20xf32>
    %109 = stablehlo.convert %108 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %110 = stablehlo.convert %109 : (tensor<6x20xbf16>) -> tensor<6x20xf32>
    %111 = stablehlo.constant dense<0> : tensor<i32>
    %112 = stablehlo.constant dense<1> : tensor<i32>
    %113 = stablehlo.constant dense<6> : tensor<i32>
    %114 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %115:2 = stablehlo.while(%116 = %111, %117 = %114) : tensor<i32>, tensor<6x66xf32>
    cond {
      %118 = stablehlo.compare LT, %116, %113, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %118 : tensor<i1>
    } do {
    %119 = stablehlo.constant dense<1> : tensor<i32>
    %120 = stablehlo.multiply %116, %119 : tensor<i32>
    %121 = stablehlo.constant dense<0> : tensor<i32>
    %122 = stablehlo.dynamic_slice %110, %120, %121, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %123 = stablehlo.dynamic_slice %48, %116, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %124 = stablehlo.reshape %123 : (tensor<1xi32>) -> tensor<i32>
    %125 = stablehlo.constant dense<3> : tensor<i32>
    %126 = stablehlo.minimum %124, %125 : tensor<i32>
    %127 = stablehlo.constant dense<0> : tensor<i32>
    %128 = stablehlo.dynamic_slice %41, %126, %127, %127, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %129 = stablehlo.reshape %128 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %130 = stablehlo.dot_general %122, %129, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %131 = stablehlo.constant dense<0> : tensor<i32>
    %132 = stablehlo.dynamic_update_slice %117, %130, %120, %131 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %133 = stablehlo.add %116, %112 : tensor<i32>
    stablehlo.return %133, %132 : tensor<i32>, tensor<6x66xf32>
    }
    %134 = stablehlo.convert %115#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %135 = stablehlo.reshape %134 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %136 = stablehlo.convert %135 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %137 = stablehlo.constant dense<0.0> : tensor<f32>
    %138 = stablehlo.reduce(%136 init: %137) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %139 = stablehlo.convert %138 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    %140 = stablehlo.add %139, %arg3 : tensor<3x66xbf16>
    return %140 : tensor<3x66xbf16>
  }
}
