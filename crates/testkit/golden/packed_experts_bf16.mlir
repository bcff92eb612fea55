module @packed_experts_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xbf16>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<4x1x33x64x2xbf16>, %arg4: tensor<4x1x33x64x2xbf16>, %arg5: tensor<4x2x10x64x2xbf16>) -> (tensor<3x66xbf16>) {
    %0 = stablehlo.transpose %arg3, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xbf16>) -> tensor<4x1x64x33x2xbf16>
    %1 = stablehlo.reshape %0 : (tensor<4x1x64x33x2xbf16>) -> tensor<4x1x64x66xbf16>
    %2 = stablehlo.reshape %1 : (tensor<4x1x64x66xbf16>) -> tensor<4x64x66xbf16>
    %3 = stablehlo.slice %2 [0:4, 0:20, 0:66] : (tensor<4x64x66xbf16>) -> tensor<4x20x66xbf16>
    %4 = stablehlo.transpose %arg4, dims = [0, 1, 3, 2, 4] : (tensor<4x1x33x64x2xbf16>) -> tensor<4x1x64x33x2xbf16>
    %5 = stablehlo.reshape %4 : (tensor<4x1x64x33x2xbf16>) -> tensor<4x1x64x66xbf16>
    %6 = stablehlo.reshape %5 : (tensor<4x1x64x66xbf16>) -> tensor<4x64x66xbf16>
    %7 = stablehlo.slice %6 [0:4, 0:20, 0:66] : (tensor<4x64x66xbf16>) -> tensor<4x20x66xbf16>
    %8 = stablehlo.transpose %arg5, dims = [0, 1, 3, 2, 4] : (tensor<4x2x10x64x2xbf16>) -> tensor<4x2x64x10x2xbf16>
    %9 = stablehlo.reshape %8 : (tensor<4x2x64x10x2xbf16>) -> tensor<4x2x64x20xbf16>
    %10 = stablehlo.reshape %9 : (tensor<4x2x64x20xbf16>) -> tensor<4x128x20xbf16>
    %11 = stablehlo.slice %10 [0:4, 0:66, 0:20] : (tensor<4x128x20xbf16>) -> tensor<4x66x20xbf16>
    %12 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2] : (tensor<3x66xbf16>) -> tensor<3x2x66xbf16>
    %13 = stablehlo.reshape %12 : (tensor<3x2x66xbf16>) -> tensor<6x66xbf16>
    %14 = stablehlo.reshape %arg2 : (tensor<3x2xi32>) -> tensor<6xi32>
    %15 = stablehlo.constant dense<0> : tensor<i32>
    %16 = stablehlo.constant dense<1> : tensor<i32>
    %17 = stablehlo.constant dense<6> : tensor<i32>
    %18 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %19:2 = stablehlo.while(%20 = %15, %21 = %18) : tensor<i32>, tensor<6x20xf32>
    cond {
      %22 = stablehlo.compare LT, %20, %17, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %22 : tensor<i1>
    } do {
    %23 = stablehlo.constant dense<1> : tensor<i32>
    %24 = stablehlo.multiply %20, %23 : tensor<i32>
    %25 = stablehlo.constant dense<0> : tensor<i32>
    %26 = stablehlo.dynamic_slice %13, %24, %25, sizes = [1, 66] : (tensor<6x66xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x66xbf16>
    %27 = stablehlo.dynamic_slice %14, %20, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %28 = stablehlo.reshape %27 : (tensor<1xi32>) -> tensor<i32>
    %29 = stablehlo.constant dense<3> : tensor<i32>
    %30 = stablehlo.minimum %28, %29 : tensor<i32>
    %31 = stablehlo.constant dense<0> : tensor<i32>
    %32 = stablehlo.dynamic_slice %3, %30, %31, %31, sizes = [1, 20, 66] : (tensor<4x20x66xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xbf16>
    %33 = stablehlo.reshape %32 : (tensor<1x20x66xbf16>) -> tensor<20x66xbf16>
    %34 = stablehlo.dot_general %26, %33, contracting_dims = [1] x [1] : (tensor<1x66xbf16>, tensor<20x66xbf16>) -> tensor<1x20xf32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_update_slice %21, %34, %24, %35 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %37 = stablehlo.add %20, %16 : tensor<i32>
    stablehlo.return %37, %36 : tensor<i32>, tensor<6x20xf32>
    }
    %38 = stablehlo.logistic %19#1 : tensor<6x20xf32>
    %39 = stablehlo.multiply %19#1, %38 : tensor<6x20xf32>
    %40 = stablehlo.constant dense<0> : tensor<i32>
    %41 = stablehlo.constant dense<1> : tensor<i32>
    %42 = stablehlo.constant dense<6> : tensor<i32>
    %43 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %44:2 = stablehlo.while(%45 = %40, %46 = %43) : tensor<i32>, tensor<6x20xf32>
    cond {
      %47 = stablehlo.compare LT, %45, %42, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %47 : tensor<i1>
    } do {
    %48 = stablehlo.constant dense<1> : tensor<i32>
    %49 = stablehlo.multiply %45, %48 : tensor<i32>
    %50 = stablehlo.constant dense<0> : tensor<i32>
    %51 = stablehlo.dynamic_slice %13, %49, %50, sizes = [1, 66] : (tensor<6x66xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x66xbf16>
    %52 = stablehlo.dynamic_slice %14, %45, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %53 = stablehlo.reshape %52 : (tensor<1xi32>) -> tensor<i32>
    %54 = stablehlo.constant dense<3> : tensor<i32>
    %55 = stablehlo.minimum %53, %54 : tensor<i32>
    %56 = stablehlo.constant dense<0> : tensor<i32>
    %57 = stablehlo.dynamic_slice %7, %55, %56, %56, sizes = [1, 20, 66] : (tensor<4x20x66xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xbf16>
    %58 = stablehlo.reshape %57 : (tensor<1x20x66xbf16>) -> tensor<20x66xbf16>
    %59 = stablehlo.dot_general %51, %58, contracting_dims = [1] x [1] : (tensor<1x66xbf16>, tensor<20x66xbf16>) -> tensor<1x20xf32>
    %60 = stablehlo.constant dense<0> : tensor<i32>
    %61 = stablehlo.dynamic_update_slice %46, %59, %49, %60 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %62 = stablehlo.add %45, %41 : tensor<i32>
    stablehlo.return %62, %61 : tensor<i32>, tensor<6x20xf32>
    }
    %63 = stablehlo.multiply %39, %44#1 : tensor<6x20xf32>
    %64 = stablehlo.convert %63 : (tensor<6x20xf32>) -> tensor<6x20xbf16>
    %65 = stablehlo.constant dense<0> : tensor<i32>
    %66 = stablehlo.constant dense<1> : tensor<i32>
    %67 = stablehlo.constant dense<6> : tensor<i32>
    %68 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %69:2 = stablehlo.while(%70 = %65, %71 = %68) : tensor<i32>, tensor<6x66xf32>
    cond {
      %72 = stablehlo.compare LT, %70, %67, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %72 : tensor<i1>
    } do {
    %73 = stablehlo.constant dense<1> : tensor<i32>
    %74 = stablehlo.multiply %70, %73 : tensor<i32>
    %75 = stablehlo.constant dense<0> : tensor<i32>
    %76 = stablehlo.dynamic_slice %64, %74, %75, sizes = [1, 20] : (tensor<6x20xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x20xbf16>
    %77 = stablehlo.dynamic_slice %14, %70, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %78 = stablehlo.reshape %77 : (tensor<1xi32>) -> tensor<i32>
    %79 = stablehlo.constant dense<3> : tensor<i32>
    %80 = stablehlo.minimum %78, %79 : tensor<i32>
    %81 = stablehlo.constant dense<0> : tensor<i32>
    %82 = stablehlo.dynamic_slice %11, %80, %81, %81, sizes = [1, 66, 20] : (tensor<4x66x20xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xbf16>
    %83 = stablehlo.reshape %82 : (tensor<1x66x20xbf16>) -> tensor<66x20xbf16>
    %84 = stablehlo.dot_general %76, %83, contracting_dims = [1] x [1] : (tensor<1x20xbf16>, tensor<66x20xbf16>) -> tensor<1x66xf32>
    %85 = stablehlo.constant dense<0> : tensor<i32>
    %86 = stablehlo.dynamic_update_slice %71, %84, %74, %85 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %87 = stablehlo.add %70, %66 : tensor<i32>
    stablehlo.return %87, %86 : tensor<i32>, tensor<6x66xf32>
    }
    %88 = stablehlo.convert %69#1 : (tensor<6x66xf32>) -> tensor<6x66xbf16>
    %89 = stablehlo.reshape %88 : (tensor<6x66xbf16>) -> tensor<3x2x66xbf16>
    %90 = stablehlo.convert %89 : (tensor<3x2x66xbf16>) -> tensor<3x2x66xf32>
    %91 = stablehlo.broadcast_in_dim %arg1, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %92 = stablehlo.multiply %90, %91 : tensor<3x2x66xf32>
    %93 = stablehlo.constant dense<0.0> : tensor<f32>
    %94 = stablehlo.reduce(%92 init: %93) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %95 = stablehlo.convert %94 : (tensor<3x66xf32>) -> tensor<3x66xbf16>
    return %95 : tensor<3x66xbf16>
  }
}
